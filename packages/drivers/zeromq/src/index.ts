export { defaultHubUrl } from "./address.ts";
export { open } from "./client/driver.ts";
export { generateKeyPair, type KeyPair } from "./curve-key.ts";
export type { HubAuth } from "./hub/admission.ts";
export { type Hub, type HubOptions, startHub } from "./hub/hub.ts";
export type { Permissions } from "./hub/permissions.ts";
