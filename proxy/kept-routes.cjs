"use strict";
// The proxy's routes, kept in a file beside its memory: a proxy that starts again finds everybody's
// server at once, not only when the hub, which may be starting itself, has told it all of them.
const fs = require("node:fs");
const { MemoryStore } = require("./node_modules/configurable-http-proxy/lib/store.js");

const FILE = "/var/lib/notehive-proxy/routes.json";
// What was kept longer ago may lead to an address that is another user's by now.
const OLDEST_SECONDS = 120;
const SIGN_OF_LIFE_SECONDS = 10;

module.exports = class KeptRoutes extends MemoryStore {
  constructor() {
    super();
    for (const [path, route] of Object.entries(read())) {
      super.add(path, { ...route, last_activity: new Date(route.last_activity) });
    }
    this.keep();
    setInterval(() => this.keep(), SIGN_OF_LIFE_SECONDS * 1000).unref();
  }

  async add(path, route) {
    await super.add(path, route);
    this.keep();
  }

  async remove(path) {
    const route = await super.remove(path);
    this.keep();
    return route;
  }

  keep() {
    try {
      fs.writeFileSync(`${FILE}.new`, JSON.stringify(this.routes));
      fs.renameSync(`${FILE}.new`, FILE);
    } catch (error) {  // a full disk, say: the proxy goes on
      console.error(`${FILE}: not kept: ${error.message}`);
    }
  }
};

function read() {
  try {
    if (Date.now() - fs.statSync(FILE).mtimeMs < OLDEST_SECONDS * 1000) {
      return JSON.parse(fs.readFileSync(FILE, "utf8"));
    }
  } catch (error) {
    if (error.code !== "ENOENT") console.error(`${FILE}: begun anew: ${error.message}`);
  }
  return {};
}
