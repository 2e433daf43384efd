// Shows the OpenAPI document of this server, and sends requests to it.
"use strict";

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function resolve(schema, all) {
  return schema && schema.$ref ? all[schema.$ref.split("/").pop()] : schema || {};
}

function typeName(schema, all) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  const options = schema.anyOf || schema.oneOf;
  if (options) return options.map((one) => typeName(one, all)).join(" or ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of (${typeName(schema.items || {}, all)})`;
  return schema.type || "any";
}

function example(schema, all) {
  const found = resolve(schema, all);
  if (found.examples && found.examples.length) return found.examples[0];
  if (found.default !== undefined) return found.default;
  const options = found.anyOf || found.oneOf;
  if (options) return example(options[0], all);
  if (found.enum) return found.enum[0];
  if (found.type === "object") {
    const required = new Set(found.required || []);
    const entries = Object.entries(found.properties || {}).filter(([name]) => required.has(name));
    return Object.fromEntries(entries.map(([name, one]) => [name, example(one, all)]));
  }
  return { array: [], string: "a text", integer: 1, number: 0, boolean: false }[found.type] ?? null;
}

function fields(schema, all) {
  const found = resolve(schema, all);
  if (!found.properties) return make("p", {}, typeName(schema, all));
  const required = new Set(found.required || []);
  const entries = Object.entries(found.properties).sort(([one], [other]) => required.has(other) - required.has(one));
  const rows = entries.map(([name, one]) =>
    make("tr", {},
      make("td", {}, make("code", {}, name), required.has(name) ? " (required)" : ""),
      make("td", {}, typeName(one, all)),
      make("td", {}, one.description || "")));
  const head = make("tr", {}, ...["field", "type", "meaning"].map((name) => make("th", { scope: "col" }, name)));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

async function send(method, path, body, output) {
  const headers = {};
  const token = document.getElementById("token").value;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  output.textContent = "...";
  const started = performance.now();
  try {
    const answer = await fetch(path, { method, headers, body: body === null ? undefined : body });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 1); } catch { /* the metrics are plain text */ }
    output.textContent = `${answer.status} in ${(performance.now() - started).toFixed(1)} ms\n${shown.slice(0, 20000)}`;
  } catch (error) {
    output.textContent = `no answer (${error.message}); check that the server is running`;
  }
}

function section(path, method, operation, all) {
  const id = `${method}${path.replace(/[^a-z0-9]+/gi, "-")}`;
  const part = make("section", { id, "aria-labelledby": `${id}-title` },
    make("h2", { id: `${id}-title` }, make("span", { class: "method" }, method.toUpperCase()), path));
  for (const paragraph of (operation.description || operation.summary || "").split("\n\n")) part.append(make("p", {}, paragraph));
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const output = make("pre", { tabindex: "0", "aria-live": "polite", "aria-label": `Answer of ${path}` });
  let body = null;
  let where = path;
  for (const parameter of operation.parameters || []) {
    const input = make("input", { id: `${id}-${parameter.name}`, autocomplete: "off" });
    part.append(make("label", { for: input.id }, parameter.name), input);
    const before = where;
    where = null;
    input.fill = () => before.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    part.target = input;
  }
  if (content) {
    part.append(fields(content.schema, all));
    body = make("textarea", { id: `${id}-body`, rows: "4", spellcheck: "false" });
    body.value = JSON.stringify(example(content.schema, all), null, 1);
    part.append(make("label", { for: body.id }, "Request"), body);
  }
  const button = make("button", { type: "button", "aria-label": `Send ${method.toUpperCase()} ${path}` }, "Send");
  button.addEventListener("click", () => send(method.toUpperCase(), (where || part.target.fill()).slice(1), body && body.value, output));
  part.append(button, output);
  const answers = Object.entries(operation.responses || {}).map(([status, one]) => make("li", {}, `${status}: ${one.description}`));
  part.append(make("details", {}, make("summary", {}, "Status codes"), make("ul", {}, ...answers)));
  return part;
}

async function show() {
  const routes = document.getElementById("routes");
  const answer = await fetch("openapi.json");
  const described = await answer.json();
  const all = (described.components || {}).schemas || {};
  document.title = `${described.info.title} ${described.info.version}: routes`;
  document.getElementById("about").textContent = `Version ${described.info.version}. ${described.info.description}`;
  for (const [path, operations] of Object.entries(described.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const part = section(path, method, operation, all);
      routes.append(part);
      const link = make("a", { href: `#${part.id}` }, path);
      document.getElementById("contents").append(make("li", {}, link));
    }
  }
}

show().catch((error) => {
  document.getElementById("routes").textContent = `openapi.json cannot be read (${error.message}); reload the page`;
});
