/** The operations of a request record, in their order on the wire. Their values are listed where they are encoded: client/. */
export const Operation: {
  readonly sync: 1;
  readonly subscribe: 2;
  readonly unsubscribe: 3;
  readonly list: 4;
  readonly describe: 5;
  readonly serve: 6;
  readonly unserve: 7;
  readonly services: 8;
  readonly queueOpen: 10;
  readonly queueSend: 11;
  readonly queueFetch: 12;
  readonly queueSettle: 13;
  readonly queueInfo: 14;
  readonly queuePeek: 15;
  readonly queueDead: 16;
  readonly queueRedrive: 17;
  readonly queuePurge: 18;
  readonly queueDestroy: 19;
  readonly logOpen: 30;
  readonly logAppend: 31;
  readonly logRead: 32;
  readonly logLast: 33;
  readonly logInfo: 34;
  readonly logDestroy: 35;
  readonly durableOpen: 36;
  readonly durableFetch: 37;
  readonly durableSettle: 38;
  readonly durableDead: 39;
  readonly durableRedrive: 40;
  readonly spaceOpen: 50;
  readonly spaceOut: 51;
  readonly spaceOutMany: 52;
  readonly spaceTake: 53;
  readonly spaceRead: 54;
  readonly spaceTakeNow: 55;
  readonly spaceReadNow: 56;
  readonly spaceTakeMany: 57;
  readonly spaceReadAll: 58;
  readonly spaceCount: 59;
  readonly spaceClaim: 60;
  readonly spaceSettle: 61;
  readonly spaceRenew: 62;
  readonly spaceCancel: 63;
  readonly spaceDestroy: 64;
  readonly spaceTakeAll: 65;
  readonly spaceCollect: 66;
  readonly spaceExplain: 67;
  readonly spaceWatch: 68;
  readonly blobsOpen: 70;
  readonly blobUpload: 71;
  readonly blobWrite: 72;
  readonly blobCommit: 73;
  readonly blobAbandon: 74;
  readonly blobFind: 75;
  readonly blobRead: 76;
  readonly blobDelete: 77;
  readonly blobList: 78;
  readonly blobsDestroy: 79;
} = {
  sync: 1,
  subscribe: 2,
  unsubscribe: 3,
  list: 4,
  describe: 5,
  serve: 6,
  unserve: 7,
  services: 8,
  queueOpen: 10,
  queueSend: 11,
  queueFetch: 12,
  queueSettle: 13,
  queueInfo: 14,
  queuePeek: 15,
  queueDead: 16,
  queueRedrive: 17,
  queuePurge: 18,
  queueDestroy: 19,
  logOpen: 30,
  logAppend: 31,
  logRead: 32,
  logLast: 33,
  logInfo: 34,
  logDestroy: 35,
  durableOpen: 36,
  durableFetch: 37,
  durableSettle: 38,
  durableDead: 39,
  durableRedrive: 40,
  spaceOpen: 50,
  spaceOut: 51,
  spaceOutMany: 52,
  spaceTake: 53,
  spaceRead: 54,
  spaceTakeNow: 55,
  spaceReadNow: 56,
  spaceTakeMany: 57,
  spaceReadAll: 58,
  spaceCount: 59,
  spaceClaim: 60,
  spaceSettle: 61,
  spaceRenew: 62,
  spaceCancel: 63,
  spaceDestroy: 64,
  spaceTakeAll: 65,
  spaceCollect: 66,
  spaceExplain: 67,
  spaceWatch: 68,
  blobsOpen: 70,
  blobUpload: 71,
  blobWrite: 72,
  blobCommit: 73,
  blobAbandon: 74,
  blobFind: 75,
  blobRead: 76,
  blobDelete: 77,
  blobList: 78,
  blobsDestroy: 79,
};
