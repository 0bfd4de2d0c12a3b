export { type PublishFromOptions, type Publishing, type PublishTarget, publishFrom } from "./publish-from.ts";
export { type ObservableSource, toObservable } from "./to-observable.ts";
