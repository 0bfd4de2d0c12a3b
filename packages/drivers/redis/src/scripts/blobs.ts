import { Library, type Script } from "./script.ts";

/**
 * A blob store under B:
 *   B:o     that it is there            B:gone  that it was destroyed
 *   B:z     the names, in order         B:m     name -> what it stands for: ID, bytes, SHA-256, number of chunks
 *   B:c:ID  one version: number -> chunk. Until it is committed it expires, unless its client goes on.
 */
const manifest: string = `
local function manifest(name)
  local kept=call('HGET',B..':m',name)
  return kept and cmsgpack.unpack(kept)
end
local function idOf(name)
  local kept=manifest(name)
  return kept and kept[1]
end`;

const destroyed = `redis.error_reply('QCONFLICT it was destroyed: open it again to make it anew')`;

/** Of one that is not there: -1 it never was, or was lost; a failure where it was destroyed. */
const mustBe = `
if call('EXISTS',B..':o')==0 then
  if call('EXISTS',B..':gone')==1 then return ${destroyed} end
  return -1
end`;

export const blobLibrary: Library = new Library("blobs", manifest);

/** ARGV: registry or "", name, whether anew. */
export const openBlobs: Script = blobLibrary.growing(
  "blobs_open",
  `
if before then return before end
if call('EXISTS',B..':o')==0 then
  if ARGV[6]=='0' and call('EXISTS',B..':gone')==1 then return ${destroyed} end
  call('SET',B..':o',1)
  call('DEL',B..':gone')
  if ARGV[4]~='' then call('SADD',ARGV[4],ARGV[5]) end
end
return done(1)`,
);

/** ARGV: ID, number, chunk, milliseconds until it expires. */
export const writeChunk: Script = blobLibrary.growing(
  "blob_write",
  `
local key=B..':c:'..ARGV[4]
call('HSET',key,ARGV[5],ARGV[6])
call('PEXPIRE',key,ARGV[7])
return 1`,
);

/** ARGV: ID, milliseconds until it expires. Its client goes on. */
export const keepUpload: Script = blobLibrary.repeatable(
  "blob_keep",
  "return call('PEXPIRE',B..':c:'..ARGV[1],ARGV[2])",
);

/** ARGV: ID, name, bytes, SHA-256, number of chunks. -2: chunks have expired meanwhile. */
export const commitBlob: Script = blobLibrary.growing(
  "blob_commit",
  `
if before then return before end
${mustBe}
local id,name,count=ARGV[4],ARGV[5],tonumber(ARGV[8])
if call('HLEN',B..':c:'..id)~=count then return -2 end
local old=idOf(name)
call('PERSIST',B..':c:'..id)
call('HSET',B..':m',name,cmsgpack.pack({id,ARGV[6],ARGV[7],count}))
call('ZADD',B..':z',0,name)
if old then call('UNLINK',B..':c:'..old) end
return done(1)`,
);

/** ARGV: ID, name. Of one that was committed, unknown to its client, nothing is removed; one that comes later is refused. */
export const abandonUpload: Script = blobLibrary.repeatable(
  "blob_abandon",
  "if idOf(ARGV[2])~=ARGV[1] then call('UNLINK',B..':c:'..ARGV[1]) end return 1",
);

/** ARGV: name. ID, bytes, SHA-256, number of chunks; nothing where there is none. */
export const findBlob: Script = blobLibrary.repeatable("blob_find", mustBe, "return manifest(ARGV[1]) or {}");

/** ARGV: ID, number, name. Where the chunk is not there: 0, the name stands for something else; 1, it should be. */
export const readChunk: Script = blobLibrary.repeatable(
  "blob_read",
  `
local chunk=call('HGET',B..':c:'..ARGV[1],ARGV[2])
if chunk then return chunk end
return idOf(ARGV[3])==ARGV[1] and 1 or 0`,
);

/** ARGV: name. Whether there was one. */
export const deleteBlob: Script = blobLibrary.writing(
  "blob_delete",
  `
if before then return before end
${mustBe}
local id=idOf(ARGV[4])
if not id then return done(0) end
call('HDEL',B..':m',ARGV[4])
call('ZREM',B..':z',ARGV[4])
call('UNLINK',B..':c:'..id)
return done(1)`,
);

/** ARGV: how names begin, the name to go on behind or "", how many. Names and their bytes. */
export const listBlobs: Script = blobLibrary.repeatable(
  "blob_list",
  mustBe,
  `
local prefix,after=ARGV[1],ARGV[2]
local from=after~='' and '('..after or '['..prefix
local reply={}
for _,name in ipairs(call('ZRANGEBYLEX',B..':z',from,'+','LIMIT','0',ARGV[3])) do
  if string.sub(name,1,#prefix)~=prefix then break end
  reply[#reply+1]=name
  reply[#reply+1]=manifest(name)[2]
end
return reply`,
);

/** ARGV: registry or "", name. A part at a time: 1 until nothing is left. */
export const destroyBlobs: Script = blobLibrary.writing(
  "blobs_destroy",
  `
if before then return before end
call('UNLINK',B..':o')
call('SET',B..':gone',1,'PX',86400000)
for _,name in ipairs(call('ZRANGE',B..':z',0,999)) do
  call('UNLINK',B..':c:'..idOf(name))
  call('HDEL',B..':m',name)
  call('ZREM',B..':z',name)
end
if ARGV[4]~='' then call('SREM',ARGV[4],ARGV[5]) end
return done(call('EXISTS',B..':z'))`,
);
