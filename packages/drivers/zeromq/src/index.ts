export { defaultHubUrl } from "./address.ts";
export { open } from "./client/driver.ts";
export { type Hub, type HubAuth, type HubOptions, type Permissions, startHub } from "./hub/hub.ts";
