/**
 * NestJS microservices over NATS or Redis, by the URL: events and messages as its documentation uses them. Its decorators are
 * called as the functions that they are, since they are no syntax that Node runs as it stands.
 */
import "reflect-metadata";
import { Controller, Logger, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import {
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from "@nestjs/microservices";
import { lastValueFrom } from "rxjs";
import type { Errand } from "../../packages/lab/src/bench/caller.ts";
import type { OpenInlet } from "../../packages/lab/src/bench/consumer.ts";
import { indexOf, type Payload, payloadMaker } from "../../packages/lab/src/bench/payload.ts";
import type { Outlet } from "../../packages/lab/src/bench/producer.ts";

// What it logs would stand between the tables.
Logger.overrideLogger(false);

type Terms = Extract<MicroserviceOptions, { transport?: Transport.NATS | Transport.REDIS }>;

function termsOf(url: string): Terms {
  if (!url.startsWith("redis:")) return { transport: Transport.NATS, options: { servers: [url] } };
  const { hostname, port } = new URL(url);
  return { transport: Transport.REDIS, options: { host: hostname, port: Number(port) } };
}

type Method = (payload: Payload) => unknown;
/** What `EventPattern` and `MessagePattern` return. */
type Pattern = (target: object, method: string, descriptor: PropertyDescriptor | undefined) => void;

/** A service with one method, which listens when this resolves. */
async function serve(url: string, pattern: Pattern, method: Method): Promise<{ close(): Promise<void> }> {
  class Bench {
    handle(payload: Payload): unknown {
      return method(payload);
    }
  }
  const { prototype } = Bench;
  pattern(prototype, "handle", Object.getOwnPropertyDescriptor(prototype, "handle"));
  Controller()(Bench);
  class App {}
  Module({ controllers: [Bench] })(App);
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(App, { ...termsOf(url) });
  await app.listen();
  return { close: () => app.close() };
}

async function clientOf(url: string): Promise<ClientProxy> {
  const client = ClientProxyFactory.create(termsOf(url));
  await client.connect();
  return client;
}

export async function emitting(url: string): Promise<Outlet> {
  const client = await clientOf(url);
  return {
    put: (payload) => lastValueFrom(client.emit("orders", payload), { defaultValue: undefined }),
    close: async () => client.close(),
  };
}

export function listening(url: string): OpenInlet {
  return (consumer) =>
    serve(url, EventPattern("orders") as Pattern, (payload) => {
      if (consumer.take(payload)) consumer.settle();
    });
}

export async function serving(url: string): Promise<void> {
  await serve(url, MessagePattern("echo") as Pattern, (payload) => payload);
}

export async function calls(url: string, bytes: number): Promise<Errand> {
  const client = await clientOf(url);
  const make = payloadMaker(bytes);
  return {
    operations: 1,
    run: async (index) => {
      if (indexOf(await lastValueFrom(client.send("echo", make(index)))) !== index) throw new Error("another's answer");
    },
    close: async () => client.close(),
  };
}
