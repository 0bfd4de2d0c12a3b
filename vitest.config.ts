import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["packages/**/src/**/*.test.ts", "packages/**/examples/**/*.test.ts", "test/**/*.test.ts"],
    // Two cores, many tests that start processes: what waits for a condition gets the time of a slow machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;
