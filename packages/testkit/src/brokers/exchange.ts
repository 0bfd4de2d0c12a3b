import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const answerMs = 2_000;

export interface Exchange {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  readonly port: number;
  /** Where it speaks TLS from the first byte: PEM of who signed its certificate, and what it asks of clients. */
  readonly tls?: TlsAccess | undefined;
  readonly say: string;
}

/** What a client is told of TLS; PEM. */
export interface TlsAccess {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Connects to a server, says something, and resolves with what `done` finds in all that came back. */
export async function exchange<T>(with_: Exchange, done: (heard: string) => T | undefined): Promise<T> {
  const { host = "127.0.0.1", port, tls, say } = with_;
  const socket: Socket =
    tls === undefined
      ? connectTcp(port, host)
      : connectTls({ port, host, ...(tls.ca && { ca: tls.ca }), ...(tls.cert && { cert: tls.cert, key: tls.key }) });
  try {
    return await new Promise<T>((resolve, reject) => {
      let heard = "";
      socket.setTimeout(answerMs, () => reject(new Error(`no answer within ${answerMs} ms at port ${port}`)));
      socket.once("error", reject);
      socket.once("close", () => reject(new Error(`the server at port ${port} hung up, having said ${heard}`)));
      socket.setEncoding("utf8").on("data", (text: string) => {
        heard += text;
        try {
          const found = done(heard);
          if (found !== undefined) resolve(found);
        } catch (error) {
          reject(error);
        }
      });
      socket.write(say);
    });
  } finally {
    socket.on("error", () => undefined);
    socket.destroy();
  }
}
