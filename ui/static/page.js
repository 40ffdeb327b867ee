// What the page around all maps does in the browser; the map has its own script, in its frame.
(function () {
  "use strict";
  if (window.slidelensPage) return;
  window.slidelensPage = true;

  const PAGES = ".st-key-pages a", NARROW = "(max-width: 768px)", SOON = 500, LOADED = 5000;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  let held = 0;

  // On the way to another page Streamlit first takes the values of sliders out of the address of the page that is left,
  // as a step of its own: Back would lead to that page without its result. A step that only takes values away is
  // therefore made a little later, and not at all where the next page follows.
  function onlyFewer(to) {
    if (to.pathname !== location.pathname || to.search === location.search) return false;
    const from = new URLSearchParams(location.search);
    return [...to.searchParams].every(([name, value]) => from.get(name) === value);
  }

  // What is selected and which tab is open are no steps: Back would have to be pressed once for each landslide that was
  // looked at.
  const PASSING = ["selected", "at", "tab"];

  function sameBut(to, names) {
    const [from, onward] = [location.search, to.search].map((search) => {
      const address = new URLSearchParams(search);
      for (const name of names) address.delete(name);
      address.sort();
      return address.toString();
    });
    return to.pathname === location.pathname && to.search !== location.search && from === onward;
  }

  history.pushState = function (state, title, address) {
    const to = new URL(address, location.href);
    if (sameBut(to, PASSING)) {
      replace(state, title, to.href);
      keep();
      return;
    }
    clearTimeout(held);
    if (onlyFewer(to)) {
      held = setTimeout(() => { push(state, title, to.href); keep(); }, SOON);
      return;
    }
    push(state, title, address);
    keep();
  };

  history.replaceState = function (state, title, address) {
    replace(state, title, address);
    keep();
  };

  // Where each page was left, for when the server does not know it: a page that is loaded anew begins a new session,
  // and who leaves a page in the instant in which a slider was moved is faster than the slider's request.
  function keep() {
    const address = new URLSearchParams(location.search);
    for (const name of ["sample", "source"]) address.delete(name);
    try {
      sessionStorage.setItem("slidelens:left:" + location.pathname, address.toString());
    } catch (error) {
      // storage is switched off: nothing is kept, all else works
    }
  }

  function left(path) {
    try {
      return sessionStorage.getItem("slidelens:left:" + path);
    } catch (error) {
      return null;
    }
  }

  function sorted(search) {
    const address = new URLSearchParams(search);
    address.sort();
    return address.toString();
  }

  function toPage(event) {
    const link = event.target.closest && event.target.closest(PAGES);
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const to = new URL(link.href), address = left(to.pathname), gone = link.closest("[class*=st-key-gone-]");
    if (address !== null && !gone && to.pathname !== location.pathname && sorted(to.search) !== sorted(address)) {
      event.preventDefault();
      event.stopPropagation();
      location.assign(to.pathname + (address ? "?" + address : ""));
    } else if (matchMedia(NARROW).matches) {
      const close = document.querySelector("[data-testid=stSidebarCollapseButton] button");
      if (close) close.click();  // it would lie over the page on a phone
    }
  }

  // The links of the sidebar, as a screen reader is told of them.
  function nameLinks() {
    const list = document.querySelector(".st-key-pages");
    if (!list) return;
    list.setAttribute("role", "navigation");
    list.setAttribute("aria-label", "Pages");
    for (const link of list.querySelectorAll("a")) {
      if (link.hasAttribute("disabled")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  // A notice that comes while another tab of the browser is looked at stands in the title until this one is again.
  let told = 0;
  function nameTab() {
    const bare = document.title.replace(/^\(\d+\) /, ""), wanted = (told ? "(" + told + ") " : "") + bare;
    if (document.title !== wanted) document.title = wanted;
    for (const frame of document.querySelectorAll("iframe[title^='streamlit_folium']")) frame.title = "Map: " + bare;
  }

  // The row that was selected elsewhere, of a table that does not show it; once for each, so that who scrolls on is left
  // alone. The table is drawn a moment after the mark above it that says which row.
  const shown = new WeakMap();
  function showRows() {
    for (const mark of document.querySelectorAll("[data-row]")) {
      const around = mark.closest("[data-testid=stVerticalBlock]"), row = mark.dataset.row;
      const inside = around && around.querySelector(".dvn-scroller"), height = Number(mark.dataset.height);
      if (!inside || !inside.scrollHeight || shown.get(inside) === row) continue;
      shown.set(inside, row);
      if (!row) continue;
      const top = Number(row) * height, room = inside.clientHeight - height;  // the titles stay above the rows
      if (top < inside.scrollTop || top + height > inside.scrollTop + room) inside.scrollTop = top - (room - height) / 2;
    }
  }

  // What was started by a button may be far from it, as where columns stand under one another or the form is long: its
  // progress is brought into view, once for each run.
  const started = new Set();
  function showProgress() {
    const progress = document.querySelector("[class*=st-key-progress-]");
    const name = progress && [...progress.classList].find((one) => one.startsWith("st-key-progress-"));
    if (!name || started.has(name)) return;
    started.add(name);
    progress.scrollIntoView({ block: matchMedia(NARROW).matches ? "center" : "nearest" });
  }

  // What went wrong is said where it was asked for, which may be below the edge of the window. A page that is opened
  // with an error begins at its top all the same.
  const said = new WeakSet();
  function showErrors() {
    for (const error of document.querySelectorAll("[data-testid=stAlertContentError]")) {
      if (said.has(error)) continue;
      said.add(error);
      if (performance.now() > LOADED) error.scrollIntoView({ block: "nearest" });
    }
  }

  let asked = 0;
  const known = new WeakSet();
  new MutationObserver(() => {
    if (asked) return;
    asked = setTimeout(() => {
      asked = 0;
      for (const toast of document.querySelectorAll("[data-testid=stToast]")) {
        if (document.hidden && !known.has(toast)) told += 1;
        known.add(toast);
      }
      nameTab();
      nameLinks();
      showRows();
      showProgress();
      showErrors();
    }, 100);
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) told = 0;
    nameTab();
  });

  // Escape takes a popover away with what is typed in it: a note is told to the server first, as when it is left.
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key === "Escape" && field.matches && field.matches("[data-testid=stPopoverBody] textarea")) field.blur();
  }, true);

  // A reviewer's name is kept until the browser is closed: a page that is loaded anew asks for it in vain.
  function keepName(event) {
    const field = event.target;
    if (event.type === "keydown" && event.key !== "Enter") return;
    if (!field.matches || !field.matches("[class*=st-key-reviewer-name] input")) return;
    document.cookie = "slidelens-reviewer=" + encodeURIComponent(field.value.trim()) + "; path=/; SameSite=Lax";
  }
  document.addEventListener("keydown", keepName, true);
  document.addEventListener("focusout", keepName, true);

  addEventListener("popstate", () => { clearTimeout(held); keep(); });
  document.addEventListener("click", toPage, true);
  keep();
})();
