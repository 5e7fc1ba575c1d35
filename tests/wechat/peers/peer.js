"use strict";
// Both packages behind one process: a JSON object a line in, a JSON object a line out, in order.

const readline = require("node:readline");
const wecom = require("@wecom/crypto");
const WXBizMsgCrypt = require("wechat-crypto");

const PEERS = {
  "wechat-crypto": ({ token, key, appid }) => new WXBizMsgCrypt(token, key, appid),
  "@wecom/crypto": ({ token, key, appid }) => ({
    encrypt: (message) => wecom.encrypt(key, message, appid),
    decrypt: (encrypt) => wecom.decrypt(key, encrypt),
    getSignature: (...parts) => wecom.getSignature(token, ...parts),
  }),
};

function answer(asked) {
  const peer = PEERS[asked.peer](asked);
  const encrypt = asked.encrypt ?? peer.encrypt(asked.message);
  const { message, id } = "encrypt" in asked ? peer.decrypt(encrypt) : {};
  return {
    encrypt,
    message,
    appid: id,
    // An empty part does not show in the joined ones: this is the signature that covers no body.
    signature: peer.getSignature(asked.timestamp, asked.nonce, ""),
    msg_signature: peer.getSignature(asked.timestamp, asked.nonce, encrypt),
  };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  let answered;
  try {
    answered = answer(JSON.parse(line));
  } catch (error) {
    answered = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answered) + "\n");
});
