export type { Clause } from "./clause.ts";
export { clauses } from "./clauses.ts";
export { type DescribeOptions, describeDriver } from "./describe.ts";
export type { Broker, Environment, OpenEnvironment } from "./environment.ts";
export { type Cell, holesOf, type Matrix, type MatrixRow, markdownOf, matrixOf } from "./matrix.ts";
export { type Connect, Scene, type SceneOptions } from "./scene.ts";
