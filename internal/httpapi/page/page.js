"use strict";

// Shows an OpenAPI document. Everything is text: nothing of it is parsed as HTML.

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function resolve(api, schema) {
  while (schema && schema.$ref) {
    schema = schema.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
  }
  return schema || {};
}

// A short name of what a schema allows.
function typeOf(api, schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((s) => typeOf(api, s)).join(" or ");
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(" | ");
  const types = [].concat(schema.type || "any");
  return types.map((t) => (t === "array" ? typeOf(api, schema.items) + "[]" : t)).join(" or ") +
    (schema.format && schema.format !== "int64" && schema.format !== "double" ? ` (${schema.format})` : "");
}

function limits(schema) {
  const said = [];
  if (schema.default !== undefined) said.push(`default ${schema.default}`);
  if (schema.minimum !== undefined) said.push(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined) said.push(`at most ${schema.maximum}`);
  return said.join(", ");
}

function table(head, rows) {
  return make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((h) => make("th", {}, h)))),
    make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((c) => make("td", {}, c))))));
}

function fields(api, schema) {
  const object = resolve(api, schema);
  const required = new Set(object.required || []);
  return table(["Field", "Type", "", "Meaning"], Object.entries(object.properties || {}).map(([name, p]) => [
    make("code", {}, name), typeOf(api, p), [required.has(name) ? "required" : "", limits(p)].filter(Boolean).join(", "), p.description || "",
  ]));
}

function body(api, title, content) {
  const parts = [];
  for (const [type, media] of Object.entries(content || {})) {
    const schema = media.schema || {};
    parts.push(make("h4", {}, `${title}: ${type}, ${typeOf(api, schema)}`));
    const object = schema.type && [].concat(schema.type).includes("array") ? schema.items : schema;
    if (resolve(api, object).properties) parts.push(fields(api, object));
  }
  return parts;
}

function operation(api, path, method, op) {
  const title = make("h3", { id: op.operationId },
    make("span", { class: "method" }, method.toUpperCase()), " ",
    make("code", op.deprecated ? { class: "old" } : {}, path));
  const parts = [title, make("p", {}, make("strong", {}, op.summary), ". ", op.description || "")];
  if (op.security && op.security.length === 0) parts.push(make("p", {}, "Public: needs no token."));
  if (op.parameters && op.parameters.length) {
    parts.push(table(["Parameter", "In", "Type", "", "Meaning"], op.parameters.map((p) => [
      make("code", {}, p.name), p.in, typeOf(api, p.schema || {}), [p.required ? "required" : "", limits(p.schema || {})].filter(Boolean).join(", "), p.description || "",
    ])));
  }
  if (op.requestBody) parts.push(...body(api, "Body", op.requestBody.content));
  for (const [status, response] of Object.entries(op.responses)) {
    if (status < "300") parts.push(...body(api, `Answer ${status}`, response.content));
  }
  parts.push(make("h4", {}, "Refusals"), table(["Status", "Meaning"],
    Object.entries(op.responses).filter(([s]) => s >= "300").map(([s, r]) => [s, r.description])));
  return make("article", {}, ...parts);
}

function show(api) {
  document.getElementById("about").textContent = `${api.info.description} Version ${api.info.version}.`;
  const base = api.servers[0].url;
  for (const tag of api.tags) {
    const list = make("ul", {});
    const section = make("section", {}, make("h2", {}, tag.name), make("p", {}, tag.description));
    for (const [path, item] of Object.entries(api.paths)) {
      for (const [method, op] of Object.entries(item)) {
        if (!op.tags || !op.tags.includes(tag.name)) continue;
        list.append(make("li", {}, make("a", { href: "#" + op.operationId }, op.summary)));
        section.append(operation(api, base + path, method, op));
      }
    }
    document.getElementById("contents").append(make("strong", {}, tag.name), list);
    document.getElementById("operations").append(section);
  }
}

fetch("/api/v1/openapi.json").then((answer) => answer.json()).then(show, (err) => {
  document.getElementById("operations").append(make("p", {}, "openapi.json cannot be read: " + err));
});
