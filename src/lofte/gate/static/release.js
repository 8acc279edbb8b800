// What the guard leaves for later: lets in, in the order of the page, what the visitor allows, takes away what is left of what is not
// allowed, and tells what was held. The guard asks for it when there is something to do; until it is there nothing is released.
lofte.rest((patterns, told, ownCookie, types) => {
  "use strict";
  const trusted = (kind, text) => (types ? types["create" + kind](text) : text);
  const allows = (purposes) => purposes.every((purpose) => lofte.allows(purpose));
  const isLeft = (kind, name) => {
    const found = patterns[kind].filter(([pattern]) => pattern.test(name));
    return found.length > 0 && !found.some(([, purpose]) => lofte.allows(purpose));
  };

  // Told once, by name, without long numbers.
  const seen = new Set();
  const tell = (kind, name) => {
    const body = {
      documentURL: location.pathname,
      effectiveDirective: "lofte-" + kind,
      blockedURL: String(name).replace(/\d{4,}/g, "*"),
    };
    if (!seen.has(kind + name)) navigator.sendBeacon("/lofte/csp-report", JSON.stringify({ body }));
    seen.add(kind + name);
  };

  // A cookie goes wherever it may lie: every folder of the address, every domain above.
  const expire = (name) => {
    const folders = location.pathname.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/") || "/");
    const domains = location.hostname.split(".").map((_, i, parts) => ";domain=." + parts.slice(i).join("."));
    for (const folder of folders)
      for (const domain of ["", ...domains])
        ownCookie.set.call(document, name + "=;max-age=0;path=" + folder + domain);
  };
  const sweep = () => {
    try {
      for (const pair of document.cookie.split(/; */)) {
        const name = pair.split("=")[0];
        if (isLeft(0, name)) expire(name);
      }
    } catch {} // no cookies in this frame
    ["local", "session"].forEach((kind, i) => {
      if (!patterns[i + 1].length) return;
      try {
        const storage = self[kind + "Storage"];
        for (const name of Object.keys(storage)) if (isLeft(i + 1, name)) storage.removeItem(name);
      } catch {} // blocked by the browser
    });
    if (!patterns[3].length) return;
    try {
      indexedDB.databases().then(
        (all) => all.forEach(({ name }) => isLeft(3, name) && indexedDB.deleteDatabase(name)),
        () => 0,
      );
    } catch {} // neither known nor kept here
  };

  // A script that was held, or put in after parsing, does not run: one like it does.
  const anew = (old) => {
    const script = document.createElement("script");
    const isHeld = old.hasAttribute("data-lofte-held");
    for (const { name, value } of [...old.attributes]) {
      const own = name.replace(/^data-lofte-(?!held|purpose)/, "");
      if (!isHeld || (name !== "type" && own !== "data-lofte-held"))
        script.setAttribute(own, own === "src" ? trusted("ScriptURL", value) : value);
    }
    script.async = old.hasAttribute("async");
    if (old.text) script.text = trusted("Script", old.text);
    old.replaceWith(script);
  };
  const release = (element) => {
    const waited = element.getAttribute("data-lofte-held").split(/[ ~]/);
    if (!waited[0] || !allows(waited)) return;
    if (element.localName === "script") return anew(element);
    for (const { name, value } of [...element.attributes]) {
      const own = /^data-lofte-(?!held|purpose)(.+)/.exec(name);
      if (!own) continue;
      element.removeAttribute(name);
      element.setAttribute(own[1], value);
    }
    element.removeAttribute("data-lofte-held");
    if (element.localName === "iframe") element.hidden = false;
    // A source is looked at when it is put in, not when its address comes later.
    if (element.localName === "source" && element.parentElement.load) element.parentElement.load();
  };
  const released = (css) =>
    css.replace(/about:invalid#lofte-held~([^~]*)~([^"')\s]*)/g, (whole, purposes, address) =>
      allows(purposes.split("+")) ? decodeURIComponent(address) : whole,
    );
  const free = () => {
    document.querySelectorAll("[data-lofte-held]").forEach(release);
    document.querySelectorAll('style,[style*="lofte-held~"]').forEach((element) => {
      const isSheet = element.localName === "style";
      const was = isSheet ? element.textContent : element.getAttribute("style");
      const is = released(was);
      if (is === was) return;
      if (isSheet) element.textContent = is;
      else element.setAttribute("style", is);
    });
  };

  // Tags of old write where they stand; after the page has been parsed that would wipe it.
  for (const name of ["write", "writeln"]) {
    const before = Document.prototype[name];
    Document.prototype[name] = function (...texts) {
      if (this !== document || document.readyState === "loading") return before.apply(this, texts);
      const made = document.createElement("template");
      const place = document.currentScript || document.body.lastChild;
      made.innerHTML = texts.length === 1 ? texts[0] : texts.join("");
      const scripts = [...made.content.querySelectorAll("script")];
      place.after(made.content);
      scripts.forEach((script) => script.hasAttribute("data-lofte-held") || anew(script));
    };
  }

  while (told.length) tell(told.shift(), told.shift());
  told.push = tell;
  const ready = () => {
    sweep();
    free();
  };
  // The guard's own listener came first: the choice is announced before anything is released.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
  return ready;
});
