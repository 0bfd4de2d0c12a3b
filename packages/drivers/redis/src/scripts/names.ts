import { Library, type Script } from "./script.ts";

export const nameLibrary: Library = new Library("names", "");

/** ARGV: the set, the name. Only in a cluster: elsewhere what makes a thing names it as well. */
export const addName: Script = nameLibrary.repeatable("name", "return call('SADD',ARGV[1],ARGV[2])");
export const removeName: Script = nameLibrary.repeatable("name_gone", "return call('SREM',ARGV[1],ARGV[2])");
/** ARGV: the set. */
export const listNames: Script = nameLibrary.repeatable("names", "return call('SMEMBERS',ARGV[1])");
