// Shows the notices of the server (src/notehive/lab/notices.py) as JupyterLab's notifications.
//
// A prebuilt extension is a container of webpack's module federation. This is one by hand: an
// object with `init`, which is given the modules that Lab shares, and `get`, which gives a plugin.

(() => {
  "use strict";

  const SHOWN = "notehive:ended-shown"; // of ended kernels: how many this browser tab has told of
  let shared;

  /** Give a module of Lab's own. */
  async function load(name) {
    const versions = Object.values(shared[name]);
    const offered = versions.find((version) => version.loaded) ?? versions[0];
    return (await offered.get())();
  }

  function memory(bytes) {
    const gib = bytes / 2 ** 30;
    return gib >= 1 ? `${+gib.toFixed(1)} GB` : `${Math.round(bytes / 2 ** 20)} MB`;
  }

  function timeOfDay(secondsFromNow) {
    const options = { hour: "2-digit", minute: "2-digit" };
    return new Date(Date.now() + secondsFromNow * 1000).toLocaleTimeString([], options);
  }

  function duration(seconds) {
    const minutes = Math.max(1, Math.round(seconds / 60));
    if (minutes % 60 === 0) return minutes === 60 ? "1 hour" : `${minutes / 60} hours`;
    return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  }

  /** Lab cuts a notification after 140 characters. */
  function endedText(name, limit) {
    const short = name.length <= 40 ? name : `${name.slice(0, 39)}…`;
    const what = name ? `The kernel of ${short}` : "A program";
    return `${what} was ended: the server reached its limit of ${memory(limit)} of memory.`;
  }

  class Notices {
    constructor(serverSettings, { ServerConnection }, { Notification }) {
      this.serverSettings = serverSettings;
      this.ServerConnection = ServerConnection;
      this.Notification = Notification;
      this.touchedAt = 0;
      this.stop = null; // the notification of the coming stop: its id and its text
      this.full = ""; // what was said last of the home's quota
    }

    /** Ask the server again and again, while the page is seen. */
    async watch() {
      for (const kind of ["keydown", "pointerdown", "wheel"]) {
        const touched = () => (this.touchedAt = Date.now());
        addEventListener(kind, touched, { capture: true, passive: true });
      }
      for (;;) {
        const pause = await this.ask("notices", "GET");
        await new Promise((resolve) => setTimeout(resolve, pause * 1000));
        while (document.hidden) {
          await new Promise((resolve) =>
            document.addEventListener("visibilitychange", resolve, { once: true }),
          );
        }
      }
    }

    /** Make a request, show what it answers, and give the seconds until the next. */
    async ask(path, method) {
      const touched = this.touchedAt ? `?touched=${(Date.now() - this.touchedAt) / 1000}` : "";
      const url = `${this.serverSettings.baseUrl}notehive/${path}${touched}`;
      try {
        const { makeRequest } = this.ServerConnection;
        const answer = await makeRequest(url, { method }, this.serverSettings);
        if (!answer.ok) return 60;
        this.touchedAt = 0;
        const state = await answer.json();
        this.showStop(state);
        this.showEnded(state);
        this.showQuota(state);
        return state.ask_again_in;
      } catch {
        return 10; // Lab itself says that the server is not there
      }
    }

    showEnded({ server, ended, memory_limit, larger_sizes, home }) {
      const [last, count] = JSON.parse(sessionStorage.getItem(SHOWN) ?? "[0, 0]");
      const fresh = ended.slice(last === server ? count : 0);
      sessionStorage.setItem(SHOWN, JSON.stringify([server, ended.length]));
      const actions = [];
      if (home && larger_sizes.length) {
        const offered = larger_sizes.map(({ title, limit }) => `${title} (${limit})`).join(", ");
        actions.push({
          label: "Choose a larger size",
          caption: `There is ${offered}. Stop this server first: files are kept.`,
          displayType: "accent",
          callback: () => window.open(home, "_blank"),
        });
      }
      for (const { name } of fresh) {
        const text = endedText(name, memory_limit);
        this.Notification.error(text, { autoClose: false, actions });
      }
    }

    /** Once when the home is nearly full, and once more when it is. */
    showQuota({ home_used, home_quota }) {
      const share = home_quota ? home_used / home_quota : 0;
      const next = "the next server can only be one of the smallest size";
      const text =
        share > 1 ? `, which is more than it may: ${next}.` : share > 0.9 ? `. Above that, ${next}.` : "";
      if (text && this.full !== text) {
        const holds = `Your home holds ${memory(home_used)} of ${memory(home_quota)}`;
        this.Notification.warning(holds + text, { autoClose: false });
      }
      this.full = text;
    }

    showStop({ stops_in, extends_by }) {
      const text =
        stops_in === null
          ? ""
          : `Nothing runs here and nobody is at work: this server stops at ${timeOfDay(stops_in)}. Files are kept.`;
      if (this.stop?.text === text) return;
      if (this.stop) this.Notification.dismiss(this.stop.id);
      this.stop = null;
      if (!text) return;
      const actions = [
        {
          label: "Extend",
          caption: `Keep it for another ${duration(extends_by)}`,
          displayType: "accent",
          callback: () => this.ask("extend", "POST"),
        },
      ];
      this.stop = { text, id: this.Notification.warning(text, { autoClose: false, actions }) };
    }
  }

  const plugin = {
    id: "@notehive/lab:notices",
    description: "Says why a kernel ended, and when an idle server will stop.",
    autoStart: true,
    // Lab waits for what this returns before it shows anything: nothing.
    activate: ({ serviceManager, restored }) => {
      void restored.then(async () => {
        const names = ["@jupyterlab/services", "@jupyterlab/apputils"];
        const modules = await Promise.all(names.map(load));
        await new Notices(serviceManager.serverSettings, ...modules).watch();
      });
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["@notehive/lab"] = {
    init: (scope) => void (shared = scope),
    get: async () => () => ({ default: plugin }),
  };
})();
