import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  // The first test that wants a container may have to wait for its image.
  test: { globalSetup: "./broker.ts", include: ["*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});

export default config;
