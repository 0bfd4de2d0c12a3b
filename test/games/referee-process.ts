import { type Bus, connect, type Log } from "@quadrant/bus";
import { startReferee } from "@quadrant/games";

/**
 * A referee as a process. With "before" or "after" and a number it kills itself, as SIGKILL does, before or after so many appends.
 * Says "ready" once it runs.
 */
const [url = "", moment = "never", at = "0"] = process.argv.slice(2);
process.once("disconnect", () => process.exit(0));

const die = (): void => void process.kill(process.pid, "SIGKILL");

/** Everything else of it as it is. */
function replaced<T extends object>(target: T, name: string, by: unknown): T {
  return new Proxy(target, {
    get(_, key) {
      if (key === name) return by;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function mortal(bus: Bus): Bus {
  let appends = 0;
  const open: Bus["log"] = async <T>(...args: Parameters<Bus["log"]>): Promise<Log<T>> => {
    const log = (await bus.log(args[0])) as Log<T>;
    const append: Log<T>["append"] = async (...given) => {
      appends += 1;
      const last = appends === Number(at);
      if (last && moment === "before") die();
      const stored = await log.append(...given);
      if (last && moment === "after") die();
      return stored;
    };
    return replaced(log, "append", append);
  };
  return replaced(bus, "log", open);
}

await startReferee(mortal(await connect(url, { timeoutMs: 60_000 })));
process.send!("ready");
