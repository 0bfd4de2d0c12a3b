import { createHash } from "node:crypto";

/** A function of one of this driver's libraries on the server. */
export interface Script {
  readonly name: string;
  /** Whether it remembers what it answered, for who asks again. */
  readonly guarded: boolean;
  readonly library: Library;
  /** FCALL and the function's name, as they go to the server. */
  readonly head: Buffer;
}

/**
 * What every function begins with: B, under which all else is kept; then most look at the server's clock, in milliseconds. A guarded one has
 * been told who asks (client and place), the number of the request, whether it is asked again; what a place was answered last
 * is kept for two minutes.
 */
const beginning: string = `
local call,sub,find,match,byte,B,KEYS,ARGV,T,now,RID,RSEQ,before
local function begin(keys,args)
  -- Only there when a function runs, not when it is loaded.
  call,sub,find,match,byte=redis.call,string.sub,string.find,string.match,string.byte
  KEYS,ARGV,B=keys,args,keys[1]
  T=nil
end
local function clock()
  if T then return end
  T=call('TIME')
  now=T[1]*1000+math.floor(T[2]/1000)
end
local function guard()
  RID,RSEQ,before=ARGV[1],ARGV[2],nil
  if ARGV[3]~='1' then return end
  local kept=call('GET',B..':r:'..RID)
  if not kept then return end
  local at=string.find(kept,'|',1,true)
  if string.sub(kept,1,at-1)==RSEQ then before=cmsgpack.unpack(string.sub(kept,at+1)) end
end
local function done(reply,kept)
  call('SET',B..':r:'..RID,RSEQ..'|'..cmsgpack.pack(kept or reply),'PX','120000')
  return reply
end
-- Commands that take many arguments, a part at a time: Lua has a small stack.
local function many(command,key,list)
  for i=1,#list,4000 do call(command,key,unpack(list,i,math.min(i+3999,#list))) end
end`;

interface Plan {
  readonly name: string;
  readonly guarded: boolean;
  /** Whether it takes memory: then it is refused, as a whole, when the server has none left. */
  readonly grows: boolean;
  /** Whether it looks at the clock by itself, by `clock()`, where it has to. */
  readonly timeless: boolean;
  readonly body: string;
}

/** Functions that share code, loaded by the server once under a name that tells one release of them from another. */
export class Library {
  readonly name: string;
  readonly #shared: string;
  readonly #plans: Plan[] = [];
  #loaded: { readonly hash: string; readonly source: string } | undefined;

  /** `shared`: functions and variables of all; `prelude`: what is done first in each. */
  constructor(name: string, shared: string) {
    this.name = name;
    this.#shared = shared;
  }

  /** ARGV[4]… are its own. Refused when the server's memory is full. */
  growing(name: string, ...body: readonly string[]): Script {
    return this.#add(name, { guarded: true, grows: true, timeless: false }, body);
  }

  /** As `growing`; looks at the clock by itself, where it has to. */
  growingTimeless(name: string, ...body: readonly string[]): Script {
    return this.#add(name, { guarded: true, grows: true, timeless: true }, body);
  }

  /** ARGV[4]… are its own. */
  writing(name: string, ...body: readonly string[]): Script {
    return this.#add(name, { guarded: true, grows: false, timeless: false }, body);
  }

  /** ARGV[1]… are its own. May be asked again at any time. */
  repeatable(name: string, ...body: readonly string[]): Script {
    return this.#add(name, { guarded: false, grows: false, timeless: false }, body);
  }

  #add(name: string, kind: Omit<Plan, "name" | "body">, body: readonly string[]): Script {
    this.#plans.push({ name, ...kind, body: body.join("\n") });
    return new LibraryScript(this, name, kind.guarded);
  }

  /** Of everything in it. */
  get hash(): string {
    return this.#load().hash;
  }

  get source(): string {
    return this.#load().source;
  }

  #load(): { readonly hash: string; readonly source: string } {
    if (this.#loaded === undefined) {
      const functions = this.#plans.map(
        ({ name, guarded, grows, timeless, body }) =>
          `redis.register_function{function_name='@_${name}',callback=function(keys,args)\nbegin(keys,args)\n${timeless ? "" : "clock()"}\n${guarded ? "guard()" : ""}\n${body}\nend,flags={${grows ? "" : "'allow-oom'"}}}`,
      );
      const text = [beginning, this.#shared, ...functions].join("\n");
      const hash = `quadrant_${this.name}_${createHash("sha1").update(text).digest("hex").slice(0, 12)}`;
      this.#loaded = { hash, source: `#!lua name=${hash}\n${text.replaceAll("@_", `${hash}_`)}` };
    }
    return this.#loaded;
  }
}

class LibraryScript implements Script {
  readonly name: string;
  readonly guarded: boolean;
  readonly library: Library;
  #head: Buffer | undefined;

  constructor(library: Library, name: string, guarded: boolean) {
    this.library = library;
    this.name = name;
    this.guarded = guarded;
  }

  get head(): Buffer {
    if (this.#head === undefined) {
      const name = `${this.library.hash}_${this.name}`;
      this.#head = Buffer.from(`$5\r\nFCALL\r\n$${name.length}\r\n${name}\r\n`);
    }
    return this.#head;
  }
}
