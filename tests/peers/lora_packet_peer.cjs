// npm lora-packet as a reader and writer of frames; one JSON line in, one JSON line out.
"use strict";
const readline = require("node:readline");
const lora = require("lora-packet");

const hex = (text) => Buffer.from(text, "hex");
const high = (fcnt) => { const bytes = Buffer.alloc(2); bytes.writeUInt16LE(fcnt >>> 16); return bytes; };

const verbs = {
  parse({ phy }) {
    const packet = lora.fromWire(hex(phy));
    const fields = { type: packet.getMType() };
    for (const name of ["AppEUI", "DevEUI", "DevNonce", "DevAddr", "FPort", "FOpts", "MIC"])
      if (packet[name]) fields[name] = packet[name].toString("hex");
    if (packet.DevAddr) Object.assign(fields, {
      fcnt: packet.getFCnt(), ack: packet.getFCtrlACK(), adr: packet.getFCtrlADR(), confirmed: packet.isConfirmed(),
      pending: packet.getFCtrlFPending(),
    });
    return fields;
  },
  verify({ phy, network, root, fcnt }) {
    return { ok: lora.verifyMIC(lora.fromWire(hex(phy)), network && hex(network), root && hex(root), high(fcnt || 0)) };
  },
  decrypt({ phy, application, network, fcnt }) {
    return { payload: lora.decrypt(lora.fromWire(hex(phy)), hex(application), hex(network), high(fcnt || 0)).toString("hex") };
  },
  // Parse, look the session up by address, verify and decrypt all of these as often as told; seconds of all rounds.
  time({ frames, rounds }) {
    const sessions = new Map(frames.map((one) => [one.dev_addr, { network: hex(one.network), application: hex(one.application) }]));
    const wire = frames.map((one) => [hex(one.phy), high(one.fcnt)]);
    const begun = process.hrtime.bigint();
    let size = 0;
    for (let round = 0; round < rounds; round++)
      for (const [phy, upper] of wire) {
        const packet = lora.fromWire(phy);
        const session = sessions.get(packet.DevAddr.toString("hex"));
        if (!lora.verifyMIC(packet, session.network, undefined, upper)) throw new Error("the MIC does not hold");
        size += lora.decrypt(packet, session.application, session.network, upper).length;
      }
    return { seconds: Number(process.hrtime.bigint() - begun) / 1e9, size };
  },
  open_join({ phy, root }) {
    const opened = lora.fromWire(lora.decryptJoinAccept(lora.fromWire(hex(phy)), hex(root)));
    const fields = {};
    for (const name of ["AppNonce", "NetID", "DevAddr", "DLSettings", "RxDelay", "CFList"])
      if (opened[name]) fields[name] = opened[name].toString("hex");
    fields.ok = lora.verifyMIC(opened, undefined, hex(root));
    return fields;
  },
  build({ type, dev_addr, fcnt, port, payload, ack, application, network }) {
    const packet = lora.fromFields({
      MType: type, DevAddr: hex(dev_addr), FCnt: fcnt & 0xffff, FPort: port, payload: hex(payload), FCtrl: { ACK: !!ack },
    }, hex(application), hex(network), undefined, high(fcnt));
    return { phy: packet.getPHYPayload().toString("hex") };
  },
  build_join({ join_eui, dev_eui, dev_nonce, root }) {
    const packet = lora.fromFields({
      MType: "Join Request", AppEUI: hex(join_eui), DevEUI: hex(dev_eui), DevNonce: hex(dev_nonce),
    }, undefined, undefined, hex(root));
    return { phy: packet.getPHYPayload().toString("hex") };
  },
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { do: verb, ...request } = JSON.parse(line);
  let answer;
  try { answer = verbs[verb](request); } catch (error) { answer = { error: String(error) }; }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
