// Keeps an open page current: by the hub where there is one, by asking again where there is none. It never shows an old state as the current one:
// after a reconnect, after sleep, and on coming back from history it asks first; and when it cannot know, it says as of when it knew.
import { restored, show, showPage, version } from './fragments';
import { Hub } from './hub';
import { clockOf } from './times';

const kind = document.documentElement.dataset.live;
const doubtAfter = 75_000;

let confirmed = Date.now();
let connected = false;
let attempts = 0;
let reconnecting: number | undefined;
let polling: number | undefined;
let asking = false;

const jittered = (ms: number): number => ms * (0.5 + Math.random());

function confirm(): void {
  confirmed = Date.now();
  document.getElementById('offline')?.remove();
}

function doubt(): void {
  if (Date.now() - confirmed < doubtAfter && navigator.onLine || document.getElementById('offline')) return;
  const note = document.createElement('p');
  note.id = 'offline';
  note.className = 'age';
  note.textContent = `${document.documentElement.dataset.offline} ${clockOf(confirmed)}`;
  document.getElementById('content')?.prepend(note);
}

async function ask(): Promise<void> {
  if (asking) return;
  asking = true;
  try {
    // no-cache: the browser asks with the ETag that it holds, and is answered 304 if nothing changed.
    const response = await fetch(location.pathname, { cache: 'no-cache', headers: { Accept: 'text/html' } });
    if (response.ok) {
      showPage(await response.text());
      confirm();
    }
  } catch { doubt(); } finally { asking = false; }
}

interface Message { version: number; base: number; changedAt: number; fragments?: Record<string, string>; url?: string }

async function take(message: Message): Promise<void> {
  if (restored(message.version, message.changedAt)) setTimeout(() => location.reload(), jittered(1_000));
  if (message.version < version()) return;
  if (kind !== 'hub' || message.base > version()) { setTimeout(ask, jittered(kind === 'hub' ? 100 : 1_000)); return; }
  if (message.fragments) { show(message.version, message.changedAt, message.fragments); return; }
  try {
    const response = await fetch(message.url!);
    if (!response.ok) throw new Error();
    const fetched = await response.json() as Message;
    if (fetched.version >= version()) show(fetched.version, fetched.changedAt, fetched.fragments!);
  } catch { await ask(); }
}

const hub = new Hub(`/hubs/status?language=${document.documentElement.lang}`, {
  open() { connected = true; attempts = 0; clearTimeout(polling); },
  heard() { confirm(); },
  message(target, argument) {
    if (target === 'page') void take(argument as Message);
    else if (target === 'now' && Number(argument) !== version()) setTimeout(ask, jittered(400));
  },
  closed() {
    connected = false;
    poll();
    clearTimeout(reconnecting);
    reconnecting = setTimeout(() => hub.connect(), jittered(Math.min(1_000 * 2 ** attempts++, 30_000)));
  },
});

function poll(): void {
  clearTimeout(polling);
  polling = setTimeout(async () => {
    if (connected) return;
    await ask();
    poll();
  }, jittered(15_000));
}

function wake(): void {
  if (document.visibilityState === 'hidden') return;
  void ask();
  attempts = 0;
  clearTimeout(reconnecting);
  hub.connect();
}

export function keepCurrent(): void {
  if (kind === 'none') return;
  const start = () => { hub.connect(); poll(); };
  // After the first paint: reading comes first.
  requestAnimationFrame(() => setTimeout(start, 0));
  setInterval(doubt, 5_000);
  addEventListener('pageshow', event => { if (event.persisted) wake(); });
  addEventListener('pagehide', () => { connected = false; clearTimeout(reconnecting); hub.close(); });
  addEventListener('online', wake);
  addEventListener('offline', doubt);
  document.addEventListener('visibilitychange', () => { if (Date.now() - confirmed > 20_000) wake(); });
}
