// The part of SignalR's JSON protocol that a listener needs: a handshake, invocations from the server, pings. The whole client would be most of the first load.
const end = '\u001e';
const silence = 40_000;

export interface HubEvents {
  open(): void;
  heard(): void;
  message(target: string, argument: unknown): void;
  closed(): void;
}

export class Hub {
  private socket?: WebSocket;
  private pinging?: number;
  private watch?: number;

  constructor(private readonly path: string, private readonly events: HubEvents) { }

  connect(): void {
    this.close();
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${this.path}`);
    this.socket = socket;
    this.expect(10_000);
    socket.onopen = () => socket.send(`{"protocol":"json","version":1}${end}`);
    socket.onmessage = event => { if (socket === this.socket) for (const text of String(event.data).split(end)) if (text) this.read(text); };
    socket.onclose = () => { if (socket === this.socket) this.lost(); };
    this.pinging = setInterval(() => { if (socket.readyState === WebSocket.OPEN) socket.send(`{"type":6}${end}`); }, 20_000);
  }

  /** On purpose: nobody is told. */
  close(): void {
    const socket = this.socket;
    this.socket = undefined;
    clearInterval(this.pinging);
    clearTimeout(this.watch);
    socket?.close();
  }

  private read(text: string): void {
    this.expect(silence);
    this.events.heard();
    const message = JSON.parse(text) as { type?: number; error?: string; target?: string; arguments?: unknown[] };
    if (message.type === 1) this.events.message(message.target!, message.arguments?.[0]);
    else if (message.type === 7 || message.error) this.lost();
    else if (message.type === undefined) this.events.open();
  }

  private expect(within: number): void {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.lost(), within);
  }

  private lost(): void {
    this.close();
    this.events.closed();
  }
}
