/** A name inside the braces that decide where a cluster keeps a key: braces of its own are written otherwise. */
export function tagged(name: string): string {
  return name.replace(/[%{}]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}

export const mailboxKey = (address: string): string => `q:m:{${tagged(address)}}`;
export const logKey = (name: string): string => `q:l:{${tagged(name)}}`;
export const spaceKey = (name: string): string => `q:s:{${tagged(name)}}`;
export const blobsKey = (store: string): string => `q:b:{${tagged(store)}}`;

/** The set of the names there are. */
export const registryKey = (kind: "mailbox" | "log" | "space" | "blobs"): string => `q:{q}:${kind}`;

/** The channel of a subject. */
export const topicChannel = (subject: string): string => `q:t:${subject}`;
/** Where one client hears what is for it alone. */
export const inboxChannel = (client: string): string => `q:i:${client}`;
