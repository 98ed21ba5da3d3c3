// Keeps an open page current: by the hub where there is one, by asking again where there is none. It never shows an old state as the current one:
// after a reconnect, after sleep, and on coming back from history it asks first; and when it cannot know, it says as of when it knew.
import { restored, show, showPage, spokenOf, version } from './fragments';
import { Hub } from './hub';
import { clockOf } from './times';

const kind = document.documentElement.dataset.live;
const doubtAfter = 75_000, answerWithin = 1_500, giveUpAfter = 10_000, turn = 5_000;

/** When the page was last known to be what the server says; at first the instant that it speaks of, since it may come from the browser's own cache. */
let confirmed = Math.min(Date.now(), spokenOf());
/** Something newer may exist: being connected alone confirms nothing. */
let behind = false;
let connected = false;
let attempts = 0;
let ticked = Date.now();
let reconnecting: number | undefined;
let polling: number | undefined;
let due: number | undefined;
let asking: AbortController | undefined;
/** Something newer was heard of while an answer was under way. */
let again = false;

const jittered = (ms: number): number => ms * (0.5 + Math.random());

function confirm(): void {
  behind = false;
  confirmed = Date.now();
  document.getElementById('offline')?.remove();
}

function note(): void {
  if (document.getElementById('offline')) return;
  const line = document.createElement('p');
  line.id = 'offline';
  line.className = 'age';
  line.textContent = `${document.documentElement.dataset.offline} ${clockOf(confirmed)}`;
  document.getElementById('content')?.prepend(line);
}

function doubt(): void {
  if (Date.now() - confirmed >= doubtAfter || !navigator.onLine) note();
}

function askIn(ms: number): void {
  behind = true;
  clearTimeout(due);
  due = setTimeout(ask, ms);
}

async function ask(): Promise<void> {
  if (asking) { again = true; return; }
  again = false;
  const attempt = asking = new AbortController();
  const patience = setTimeout(() => attempt.abort(), giveUpAfter);
  try {
    // no-cache: the browser asks with the ETag that it holds, and is answered 304 if nothing changed.
    const response = await fetch(location.pathname, { cache: 'no-cache', headers: { Accept: 'text/html' }, signal: attempt.signal });
    if (!response.ok) throw new Error();
    // An older page is that of a node that lags, or of a restored database: the next answers tell which.
    if (!showPage(await response.text())) askIn(jittered(giveUpAfter)); else if (!again) confirm();
  } catch {
    // With a hub that lives nothing else would ask again.
    if (attempt === asking) { doubt(); if (connected) askIn(jittered(turn)); }
  } finally {
    clearTimeout(patience);
    if (attempt === asking) asking = undefined;
    if (!asking && again) askIn(jittered(100));
  }
}

interface Message { version: number; base: number; changedAt: number; fragments?: Record<string, string>; url?: string }

async function take(message: Message): Promise<void> {
  if (restored(message.version, message.changedAt)) setTimeout(() => location.reload(), jittered(1_000));
  if (message.version < version()) { askIn(jittered(turn)); return; }
  if (kind !== 'hub' || message.base > version()) { askIn(jittered(kind === 'hub' ? 100 : 1_000)); return; }
  try {
    let told = message;
    if (!told.fragments) {
      const response = await fetch(message.url!);
      if (!response.ok) throw new Error();
      told = await response.json() as Message;
    }
    if (told.version < version()) return;
    // Another node's document behind the same address may count from a later page than this one.
    if (told.base > version()) { askIn(jittered(100)); return; }
    show(told.version, told.changedAt, told.fragments!);
    confirm();
  } catch { askIn(0); }
}

const hub = new Hub(`/hubs/status?language=${document.documentElement.lang}`, {
  open() { connected = true; attempts = 0; clearTimeout(polling); },
  heard() { if (!behind) confirm(); },
  message(target, argument) {
    if (target === 'page') void take(argument as Message);
    else if (target !== 'now') return;
    else if (Number(argument) === version()) confirm();
    else askIn(jittered(400));
  },
  closed() {
    connected = false;
    behind = true;
    poll();
    clearTimeout(reconnecting);
    reconnecting = setTimeout(() => hub.connect(), jittered(Math.min(1_000 * 2 ** attempts++, 30_000)));
  },
});

function poll(): void {
  clearTimeout(polling);
  polling = setTimeout(async () => {
    if (connected) return;
    if (document.visibilityState !== 'hidden') await ask();
    poll();
  }, jittered(15_000));
}

/** The page was away, and what it shows may be long past. */
function wake(): void {
  if (document.visibilityState === 'hidden') return;
  const began = Date.now();
  behind = true;
  doubt();
  asking?.abort();
  asking = undefined;
  void ask();
  setTimeout(() => { if (confirmed < began) note(); }, answerWithin);
  attempts = 0;
  clearTimeout(reconnecting);
  hub.connect();
}

function tick(): void {
  const slept = Date.now() - ticked > 4 * turn;
  ticked = Date.now();
  if (slept) wake(); else doubt();
}

export function keepCurrent(): void {
  if (kind === 'none') return;
  // The browser shows what it kept of a page that one goes back to, without asking.
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const start = () => { if (entry?.type === 'back_forward') wake(); else hub.connect(); poll(); };
  // After the first paint: reading comes first.
  requestAnimationFrame(() => setTimeout(start, 0));
  setInterval(tick, turn);
  addEventListener('pageshow', event => { if (event.persisted) wake(); });
  addEventListener('pagehide', () => { connected = false; clearTimeout(reconnecting); hub.close(); });
  addEventListener('online', wake);
  addEventListener('offline', doubt);
  document.addEventListener('resume', wake);
  document.addEventListener('visibilitychange', () => { if (Date.now() - confirmed > 20_000) wake(); });
}
