// Runs Azurite's blob service on a free port of the loopback, and ends when stdin closes: a test that is killed leaves no
// server behind. Prints one line of JSON: the port, the account and its key, and SAS tokens that may read and list, that
// may only read, and that are over. The account has an empty container `states`.
// usage: node azurite.js FOLDER    FOLDER holds node_modules

"use strict";

const crypto = require("node:crypto");
const path = require("node:path");

const source = path.join(process.argv[2], "node_modules", "azurite", "dist", "src");
const BlobConfiguration = require(path.join(source, "blob", "BlobConfiguration")).default;
const BlobServer = require(path.join(source, "blob", "BlobServer")).default;
const { EMULATOR_ACCOUNT_NAME: account, EMULATOR_ACCOUNT_KEY_STR: key } = require(path.join(source, "blob", "utils", "constants"));

const VERSION = "2021-12-02";

function sign(text) {
  return crypto.createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
}

// An account SAS for blobs: containers and objects, over HTTP too.
function sas(permissions, expiry) {
  const fields = [account, permissions, "b", "co", "", expiry, "", "https,http", VERSION, "", ""];
  const query = { sv: VERSION, ss: "b", srt: "co", sp: permissions, se: expiry, spr: "https,http", sig: sign(fields.join("\n")) };
  return new URLSearchParams(query).toString();
}

async function main() {
  const inMemory = true;
  const config = new BlobConfiguration(
    "127.0.0.1", 0, 5, undefined, undefined, undefined,
    false, undefined, false, undefined, // neither access log nor debug log
    false, false, "", "", "", undefined, true, inMemory,
  );
  const server = new BlobServer(config);
  await server.start();
  const port = Number(new URL(server.getHttpServerAddress()).port);
  const url = `http://127.0.0.1:${port}/${account}/states?restype=container&${sas("rwlac", "2099-01-01T00:00:00Z")}`;
  const made = await fetch(url, { method: "PUT", headers: { "x-ms-version": VERSION } });
  if (!made.ok) throw new Error(`no container: ${made.status} ${await made.text()}`);
  console.log(JSON.stringify({
    port, account, key,
    sas: sas("rl", "2099-01-01T00:00:00Z"),
    read_only_sas: sas("r", "2099-01-01T00:00:00Z"),
    expired_sas: sas("rl", "2020-01-01T00:00:00Z"),
  }));
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
process.stdin.on("end", () => process.exit(0)).resume();
