import { connect } from "@quadrant/bus";

/** A publisher as a process: publishes on each subject that it is told, and ends with the one who forked it. */
const bus = await connect(process.argv[2]!, { timeoutMs: 20_000 });
process.once("disconnect", () => process.exit(0));
process.on("message", (subject: string) => {
  bus.publish(subject, subject).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
});
process.send!("ready");
