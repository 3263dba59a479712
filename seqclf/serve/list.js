const served = JSON.parse(document.getElementById("data").textContent);
const put = (id, text) => { document.getElementById(id).textContent = text; };

for (const model of served.models) {
  const item = document.createElement("li");
  item.textContent = `${model.name}: ${model.labels.join(", ")}`;
  document.getElementById("models").append(item);
}
put("why", served.why);
put("ask", [
  "curl --json '{\"instances\": [\"a text\"]}' \\",
  `  ${location.origin}/v1/models/${served.models[0].name}:predict`,
].join("\n"));
put("made", `seqclf ${served.version}`);
