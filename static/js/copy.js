// A button beside each link that copies it. Without this script the link is selected and copied by hand.
for (const row of document.querySelectorAll("p.copy:has(> input[readonly])")) {
  const field = row.querySelector("input");
  const button = document.createElement("button");
  const said = document.createElement("span");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${field.getAttribute("aria-label")}`);
  said.className = "sr";
  said.setAttribute("role", "status");
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = said.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    } catch {
      // Pages without TLS may not write to the clipboard.
      field.focus();
      said.textContent = "Selected: copy it with Ctrl+C";
    }
  });
  row.append(button, said);
}
