import { Observable } from "rxjs";

/** What can be observed: a subscription, another async iterable, or what opens one for each subscriber. */
export type ObservableSource<M> = AsyncIterable<M> | (() => AsyncIterable<M> | PromiseLike<AsyncIterable<M>>);

function isAsyncIterable<M>(value: AsyncIterable<M> | PromiseLike<AsyncIterable<M>>): value is AsyncIterable<M> {
  return Symbol.asyncIterator in value;
}

/** Ends what is iterated, also where its next item is awaited and may never come. */
async function leave(source: AsyncIterable<unknown>, iterator: AsyncIterator<unknown> | undefined): Promise<void> {
  if (Symbol.asyncDispose in source) await (source as unknown as AsyncDisposable)[Symbol.asyncDispose]();
  else await iterator?.return?.();
}

/**
 * An observable of a bus's subscription, log, call or status. Given a subscription, it can be subscribed once, as that
 * can be iterated once; given a function, it opens one for each subscriber. Unsubscribing disposes it: at once, also
 * while it is being opened and while it is idle. Its error and its end are passed on.
 */
export function toObservable<M>(source: ObservableSource<M>): Observable<M> {
  return new Observable<M>((subscriber) => {
    let opened: AsyncIterable<M> | undefined;
    let iterator: AsyncIterator<M> | undefined;
    // Nobody is left to hear of an error on leaving.
    const end = (): void => {
      if (opened !== undefined) leave(opened, iterator).catch(() => undefined);
    };
    const run = async (): Promise<void> => {
      const given = typeof source === "function" ? source() : source;
      // A streaming call is both: it is iterated, not awaited.
      opened = isAsyncIterable(given) ? given : await given;
      if (subscriber.closed) {
        end();
        return;
      }
      iterator = opened[Symbol.asyncIterator]();
      while (true) {
        const { value, done } = await iterator.next();
        if (subscriber.closed) return;
        if (done === true) {
          subscriber.complete();
          return;
        }
        subscriber.next(value);
        if (subscriber.closed) return;
      }
    };
    run().catch((error: unknown) => {
      if (!subscriber.closed) subscriber.error(error);
    });
    return end;
  });
}
