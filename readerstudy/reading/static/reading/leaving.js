// At the log-out goes what its reader had not sent yet (sending.js); whoever sits down next finds none of it.

const leave = document.querySelector("form[data-kept]");

function leaving(event) {
  if (event.target.action !== leave.action) return;
  const own = Object.keys(localStorage).filter((key) => key.startsWith(`reading:${leave.dataset.kept}:`));
  const unsent = own.some((key) => JSON.parse(localStorage.getItem(key)).pending);
  if (unsent && !confirm(leave.dataset.unsent)) event.preventDefault();
  else for (const key of own) localStorage.removeItem(key);
}

if (leave) document.addEventListener("submit", leaving);
