"use strict";
const { page, pairs } = JSON.parse(document.getElementById("content").textContent);
const QUESTIONS = { right: "Which answer is right?", teacher: "Which answer is the teacher’s?" };
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "both", ArrowDown: "neither" };
const element = (id) => document.getElementById(id);
const both = document.querySelector('[data-answer="both"]');
let judge = "";
let votes = [];
let pending = null; // the answer to the first question of the current pair

// The browser may refuse storage to a page from disk. Then votes last as long as the page.
const store = () => { try { localStorage.setItem(`blind:${page}:${judge}`, JSON.stringify(votes)); } catch { /* see above */ } };
const stored = () => { try { return JSON.parse(localStorage.getItem(`blind:${page}:${judge}`)) ?? []; } catch { return []; } };

function show() {
  const finished = votes.length >= pairs.length;
  element("start").hidden = true;
  element("judge").hidden = finished;
  element("end").hidden = !finished;
  if (finished) return;
  const pair = pairs[votes.length];
  element("progress").textContent = `Pair ${votes.length + 1} of ${pairs.length}, ${pair.task.replaceAll("_", " ")}`;
  element("text").textContent = pair.text;
  for (const side of ["left", "right"]) element(side).textContent = `${pair[side].label}, ${pair[side].percent} % sure`;
  element("question").textContent = pending === null ? QUESTIONS.right : QUESTIONS.teacher;
  element("neither").textContent = pending === null ? "neither" : "cannot tell";
  both.hidden = pending !== null;
  element("question").focus();
}

function answer(choice) {
  if (pending === null) pending = choice;
  else if (choice === "both") return;
  else {
    votes.push({ pair: votes.length, right: pending, teacher: choice });
    pending = null;
    store();
  }
  show();
}

function back() {
  if (pending !== null) pending = null;
  else if (votes.length) pending = votes.pop().right;
  store();
  show();
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ judge, page, votes }, null, 2) + "\n"], { type: "application/json" }));
  link.download = `votes-${judge.replace(/[^\p{L}\p{N}]+/gu, "-")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

element("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  judge = element("name").value.trim();
  if (!judge) return;
  votes = stored();
  show();
});
for (const button of document.querySelectorAll("[data-answer]")) button.addEventListener("click", () => answer(button.dataset.answer));
for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", save);
element("back").addEventListener("click", back);
document.addEventListener("keydown", (event) => {
  if (element("judge").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const choice = KEYS[event.key];
  if (!choice && event.key !== "Backspace") return;
  event.preventDefault();
  if (choice) answer(choice);
  else back();
});
