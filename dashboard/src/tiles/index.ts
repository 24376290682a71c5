// The tile list. A new tile is one file in this folder and one line here: where it stands in each
// view, and what there is one of it for. Store, reconnecting and stale greying come for free.

import type { Component } from "svelte";
import { isCamera, metered } from "../places";
import type { State } from "../reduce";
import Alerts from "./Alerts.svelte";
import Camera from "./Camera.svelte";
import Department from "./Department.svelte";
import LineUp from "./LineUp.svelte";
import Sound from "./Sound.svelte";
import Strip from "./Strip.svelte";
import TakeBar from "./TakeBar.svelte";
import Takes from "./Takes.svelte";

export const VIEWS = ["glance", "sound", "picture", "line-up", "alerts", "takes"] as const;
export type View = (typeof VIEWS)[number];
export type Area = "words" | "sound" | "picture" | "list" | "bar";

export interface TileProps {
  /** What this one is for: a department, a source's id, or nothing. */
  subject: string;
  view: View;
}

export interface Tile {
  tile: Component<TileProps> | Component<Record<string, never>>;
  area: Area;
  views: readonly View[];
  subjects: (state: State, view: View) => string[];
}

const once = (): string[] => [""];
const departments = (state: State, view: View): string[] => {
  const present = state.ready ? state.glance.map((one) => one.department) : ["sound", "camera"];
  const only = view === "sound" ? "sound" : view === "picture" ? "camera" : null;
  return present.filter((department) => only === null || department === only);
};
/** Before anything is known both are shown, as not monitored. */
const sound = (state: State, view: View): string[] =>
  view === "sound" || !state.ready || metered(state.sources).length > 0 ? [""] : [];
const cameras = (state: State): string[] => state.sources.filter(isCamera).map((one) => one.id);

export const TILES: readonly Tile[] = [
  { tile: Department, area: "words", views: ["glance", "sound", "picture"], subjects: departments },
  { tile: Strip, area: "words", views: ["line-up", "alerts", "takes"], subjects: departments },
  { tile: Sound, area: "sound", views: ["glance", "sound"], subjects: sound },
  { tile: Camera, area: "picture", views: ["glance", "picture"], subjects: cameras },
  { tile: Alerts, area: "list", views: ["alerts"], subjects: once },
  { tile: LineUp, area: "list", views: ["line-up"], subjects: once },
  { tile: Takes, area: "list", views: ["takes"], subjects: once },
  { tile: TakeBar, area: "bar", views: VIEWS, subjects: once },
];
