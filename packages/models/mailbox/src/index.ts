export { openMailbox } from "./mailbox.ts";
export { receiveLeased } from "./receiving.ts";
