// The page of a running show: follows the engine and sends a director's commands.

import { CameraView } from './camera-view';
import { ChannelView, type Desk } from './channel-view';
import { Lockout, send, type Command, type Said } from './command';
import { follow, type Link } from './connection';
import { el, setClass, setText } from './dom';
import { EngineView } from './engine-view';
import { clock, Meter } from './health';
import { EVERY_CHANNEL, KeyStore, keysInFragment, sessionDrawer } from './key-store';
import { inField, press } from './keys';
import { Pictures } from './pictures';
import { ReloadView } from './reload-view';
import { SceneView } from './scene-view';
import { picturesRest, type ShowEvent, type Status } from './status';

const EVENTS_SHOWN = 20;

function place(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page lacks #${id}`);
  return node;
}

const linkPlace = place('link');
const sayPlace = place('say');
const alarmPlace = place('alarm');
const showPlace = place('show');
const timePlace = place('time');
const channelsPlace = place('channels');
const camerasPlace = place('cameras');
const eventsPlace = place('events');

const meter = new Meter();
const lockout = new Lockout();
const keyStore = new KeyStore(sessionDrawer());
const pictures = new Pictures();
const channels = new Map<string, ChannelView>();
const cameras = new Map<string, CameraView>();
const scenes = new Map<string, SceneView>();
const reloadView = new ReloadView();
place('file').append(reloadView.root);
const engineView = new EngineView();
place('engine').append(engineView.root);
let keyed: string | null = null;
let live = false;
/** The engine makes none. */
let rest = false;

function say(said: Said): void {
  setText(sayPlace, said.text);
  setClass(sayPlace, `say ${said.level}`);
}

const desk: Desk = {
  meter,
  keyStore,
  pictures,
  send(command: Command): void {
    if (!live || !lockout.allows(command, performance.now())) return;
    void send(command).then(say);
  },
  focus(channel: string): void {
    keyed = channel;
    for (const [name, view] of channels) view.showKeys(name === channel && channels.size > 1);
  },
};

/** Views follow the list by name: new ones are made, gone ones removed. */
function sync<V extends { root: HTMLElement; close?(): void }>(views: Map<string, V>, names: string[], where: HTMLElement, make: (name: string) => V): void {
  for (const [name, view] of views) {
    if (names.includes(name)) continue;
    view.root.remove();
    view.close?.();
    views.delete(name);
  }
  for (const name of names) {
    if (views.has(name)) continue;
    const view = make(name);
    views.set(name, view);
    where.append(view.root);
  }
}

function showStatus(status: Status): void {
  rest = picturesRest(status);
  pictures.allow(live && !rest);
  setText(showPlace, status.show ?? 'show');
  document.title = `${status.show ?? 'show'} · obvan`;
  setText(timePlace, clock(status.t));
  sync(channels, status.channels.map((channel) => channel.name), channelsPlace, (name) => {
    const channel = status.channels.find((one) => one.name === name);
    if (!channel) throw new Error(`no channel ${name}`);
    return new ChannelView(channel, desk);
  });
  sync(cameras, status.cameras.map((camera) => camera.name), camerasPlace, (name) => new CameraView(name, (command) => desk.send(command)));
  const composed = status.scenes ?? [];
  sync(scenes, composed.map((scene) => scene.name), camerasPlace, (name) => new SceneView(name, (command) => desk.send(command)));
  for (const scene of composed) scenes.get(scene.name)?.update(scene);
  for (const channel of status.channels) channels.get(channel.name)?.update(channel, status);
  for (const camera of status.cameras) cameras.get(camera.name)?.update(camera, status.t, meter);
  if (keyed === null || !channels.has(keyed)) {
    const first = status.channels[0];
    if (first) desk.focus(first.name);
  }
  engineView.update(status);
  reloadView.update(status.show_revision, status.events ?? []);
  for (const view of [...channels.values(), ...scenes.values()]) view.enable(live);
  showEvents(status.events ?? []);
  showAlarm(status.events ?? [], status.t);
}

/** An alarm stays in sight for this long, in seconds of show time. */
const ALARM_S = 30;

/** The newest alarm, in a line of its own that is always there: nothing moves under the pointer. */
function showAlarm(events: ShowEvent[], t: number): void {
  const alarm = events.filter((event) => event.level === 'alarm' && t - event.t < ALARM_S).pop();
  setText(alarmPlace, alarm ? `✖ ${clock(alarm.t)} ${alarm.subject ?? ''}: ${alarm.message}` : 'no new alarm');
  setClass(alarmPlace, alarm ? 'alarmline alarm' : 'alarmline');
}

let eventsShown = '';

function showEvents(events: ShowEvent[]): void {
  const last = events.slice(-EVENTS_SHOWN).reverse();
  const key = JSON.stringify(last);
  if (key === eventsShown) return;
  eventsShown = key;
  const icons = { info: 'ℹ info', warn: '⚠ warn', alarm: '✖ alarm' };
  eventsPlace.replaceChildren(
    ...last.map((event) =>
      el('li', { class: `event ${event.level}` },
        el('span', { class: 'when' }, clock(event.t)), ' ',
        el('span', { class: 'level' }, icons[event.level] ?? event.level), ' ',
        el('span', { class: 'subject' }, event.subject ?? ''), ' ', event.message, ' ',
        el('span', { class: 'code' }, event.code)),
    ),
  );
  if (last.length === 0) eventsPlace.append(el('li', { class: 'event' }, 'Nothing has happened yet.'));
}

function showLink(link: Link): void {
  live = link.state === 'live';
  setText(linkPlace, link.state === 'live' ? '● connected' : link.state === 'connecting' ? '◌ connecting …' : `✕ ${link.why}; what you see is old. Trying again …`);
  setClass(linkPlace, `link ${link.state}`);
  document.body.classList.toggle('stale', !live);
  pictures.allow(live && !rest);
  reloadView.enable(live);
  for (const view of [...channels.values(), ...scenes.values()]) view.enable(live);
}

document.addEventListener('keydown', (event) => {
  // Space must not also press the button that happens to have the focus (Enter does that).
  if (event.key === ' ' && !inField(event.target)) event.preventDefault();
  const meant = press(event);
  const view = keyed === null ? undefined : channels.get(keyed);
  if (!meant || !view) return;
  if (meant.do === 'choose') view.choose(meant.index);
  else if (live && meant.do === 'cut') view.take();
  else if (live) view.dissolve();
});
document.addEventListener('keyup', (event) => {
  if (event.key === ' ' && !inField(event.target)) event.preventDefault();
});

// The token came once in the address and is a cookie from there on; keys are in the
// store: out of sight with both.
function readAddress(): void {
  const here = new URL(location.href);
  const given = keysInFragment(here.hash);
  for (const key of given) {
    try {
      keyStore.add(EVERY_CHANNEL, key);
    } catch (error) {
      say({ level: 'alarm', text: `key ${key.id} cannot be used: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  if (!here.searchParams.has('token') && given.length === 0) return;
  here.searchParams.delete('token');
  if (given.length > 0) here.hash = '';
  history.replaceState(null, '', here.href);
}
readAddress();
window.addEventListener('hashchange', () => {
  readAddress();
  for (const view of channels.values()) view.keysChanged();
});

showLink({ state: 'connecting' });
void follow({ status: showStatus, link: showLink });
