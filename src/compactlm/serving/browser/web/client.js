"use strict";
// Sends requests to the worker. Each panel has its own channel, on which only the newest request is answered.

const element = (id) => document.getElementById(id);
const TOO_LONG = "A text is longer than the model reads; its end does not count.";
const percent = (share) => `${(100 * share).toFixed(1)} %`;

class Client {
  /**
   * Start a worker with a script, a "classic" one or a "module". A worker that is made from a blob is under the security policy of the
   * page; one that is loaded from an address would not be.
   */
  constructor(source, type = "classic") {
    this.waiting = new Map();
    this.last = 0;
    this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => {
      const reason = event.message || "Its worker cannot be started";
      for (const { reject } of this.waiting.values()) reject(new Error(reason));
    };
  }

  receive({ id, done, failed, share }) {
    const { resolve, reject, progress } = this.waiting.get(id);
    if (share !== undefined) return progress(share);
    this.waiting.delete(id);
    return failed === undefined ? resolve(done) : reject(new Error(failed));
  }

  /** Ask the worker; the answer is null if a newer request of the channel made this one stale. */
  ask(channel, action, request, { progress = () => {}, transfer = [] } = {}) {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.worker.postMessage({ id, channel, action, request }, transfer);
    });
  }
}

/** Call `update` at once and then at each input of the fields, at most once at a time: the newest state is always shown at last. */
function follow(fields, update) {
  let running = false;
  let again = false;
  const run = async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await update();
    }
    running = false;
  };
  for (const field of fields) field.addEventListener("input", run);
  return run();
}

/** Write a note below an answer, or hide it without a text. */
function showNote(place, text) {
  place.textContent = text;
  place.hidden = !text;
}

/** Return an element with a text and classes. */
function make(tag, text = "", classes = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

/** Write a text into a status element, unless it is there: screen readers announce changes. */
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Return a row of a bar chart: a label, a bar, a share. */
function bar(label, share) {
  const row = make("li", label);
  const track = make("span", "", "track");
  const filled = make("span");
  filled.style.width = `${100 * share}%`;
  track.setAttribute("aria-hidden", "true");
  track.append(filled);
  row.append(track, make("b", percent(share)));
  return row;
}
