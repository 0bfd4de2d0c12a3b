/**
 * Ends what a test started when the process of the test ends, however it does. One small program for each process watches
 * a pipe that the operating system closes even on SIGKILL; a process that is stopped (SIGSTOP) is ended all the same.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

/** Each line is `+` or `-` and what is held: p and the id of a process, c and that of a container, m a mount, f a folder. */
const program = `
function quoted(text) { gsub(/'/, "'\\\\''", text); return "'" text "'" }
{ if (substr($0, 1, 1) == "+") held[substr($0, 2)] = 1; else delete held[substr($0, 2)] }
END {
  for (each in held) if (each ~ /^p[0-9]+$/) system("kill -9 " substr(each, 2) " 2>/dev/null")
  for (each in held) if (each ~ /^p[0-9]+$/)
    system("n=0; while kill -0 " substr(each, 2) " 2>/dev/null && [ $n -lt 40 ]; do n=$((n + 1)); sleep 0.05; done")
  for (each in held) if (each ~ /^c/) system("docker rm -f -v " quoted(substr(each, 2)) " >/dev/null 2>&1")
  for (each in held) if (each ~ /^m/) system("umount -l " quoted(substr(each, 2)) " 2>/dev/null")
  for (each in held) if (each ~ /^f/) system("rm -rf -- " quoted(substr(each, 2)))
}`;

let watcher: ChildProcess | undefined;

function tell(line: string): void {
  if (watcher === undefined) {
    // A session of its own: what ends the test from the keyboard does not end this.
    watcher = spawn("awk", [program], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
    watcher.on("error", () => undefined);
    watcher.stdin!.on("error", () => undefined);
    watcher.unref();
    (watcher.stdin as Socket).unref();
  }
  watcher.stdin!.write(`${line}\n`);
}

/** Holds something; returns what lets go of it, to be called once it is gone. */
function hold(what: string): () => void {
  tell(`+${what}`);
  let held = true;
  return () => {
    if (held) tell(`-${what}`);
    held = false;
  };
}

export function holdProcess(pid: number): () => void {
  return hold(`p${pid}`);
}

export function holdContainer(id: string): () => void {
  return hold(`c${id}`);
}

export function holdMount(folder: string): () => void {
  return hold(`m${folder}`);
}

export function holdFolder(folder: string): () => void {
  return hold(`f${folder}`);
}
