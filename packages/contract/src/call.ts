import type { Headers } from "./headers.ts";

// biome-ignore lint/suspicious/noExplicitAny: a service's own signatures say what its methods take
export type Service<S> = { readonly [M in keyof S]: (...args: any[]) => unknown };
type Stub<F> = F extends (...args: infer A) => infer R
  ? R extends AsyncIterable<infer T>
    ? (...args: A) => AsyncIterable<T>
    : (...args: A) => Promise<Awaited<R>>
  : never;
export type Client<S> = { readonly [M in keyof S]: Stub<S[M]> } & {
  readonly $with: (options: CallOptions) => Client<S>;
};
/** timeoutMs: default 5 000; for a stream, per item. */
export interface CallOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Headers | undefined;
}
/** Inside a served method: `signal` aborts when the caller gave up or its deadline passed. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly deadline: Date;
  readonly headers: Headers;
  readonly address: string;
  readonly method: string;
}
/** `concurrency: 1` is an iterative server; the default runs calls as they come. */
export interface ServeOptions {
  readonly concurrency?: number | undefined;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
}
export interface Server extends AsyncDisposable {
  readonly address: string;
  readonly instance: string;
  readonly handled: number;
}
export interface ServiceInfo {
  readonly address: string;
  readonly instance: string;
  readonly methods: readonly string[];
  readonly version?: string | undefined;
  readonly handled: number;
  readonly failed: number;
  readonly meanMs: number;
}
