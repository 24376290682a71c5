import { expect, it } from "vitest";
import { readInputs } from "./inputs";

it("reads the inputs found, whatever else is said of them", () => {
  const body = { inputs: [{ name: "MixPre", channels: 12, sample_rate_hz: 48000, new_key: 1 }] };
  expect(readInputs(body)).toEqual([{ index: 0, name: "MixPre", detail: "12 channels · 48 kHz" }]);
});

it("names an input that has no name, and lists nothing from nonsense", () => {
  expect(readInputs([{ kind: "audio_device" }])).toEqual([
    { index: 0, name: "Input 1", detail: "audio device" },
  ]);
  expect(readInputs(null)).toEqual([]);
  expect(readInputs({ inputs: 3 })).toEqual([]);
});
