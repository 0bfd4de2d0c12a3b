export { callContext } from "./call-scope.ts";
export { services } from "./directory.ts";
export { serve } from "./server.ts";
export { client } from "./stub.ts";
