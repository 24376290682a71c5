// The inputs a fresh service found: read from JSON at the edge, tolerant of keys it does not know.

export interface Input {
  index: number;
  name: string;
  detail: string;
}

type Loose = { [key: string]: unknown };

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Make the list of inputs from ``GET /api/inputs``: a list, or an object with ``inputs``. */
export function readInputs(body: unknown): Input[] {
  const listed: unknown = Array.isArray(body) ? body : (body as Loose | null)?.["inputs"];
  if (!Array.isArray(listed)) return [];
  return listed.map((value: unknown, at) => {
    const one = (typeof value === "object" && value !== null ? value : {}) as Loose;
    const channels = typeof one["channels"] === "number" ? `${one["channels"]} channels` : "";
    const rate = typeof one["sample_rate_hz"] === "number" ? `${one["sample_rate_hz"] / 1000} kHz` : "";
    const parts = [text(one["detail"]), text(one["host_api"]), channels, rate];
    return {
      index: typeof one["index"] === "number" ? one["index"] : at,
      name: text(one["name"]) || `Input ${at + 1}`,
      detail: parts.filter((part) => part !== "").join(" · ") || text(one["kind"]).replaceAll("_", " "),
    };
  });
}

export async function findInputs(again: boolean): Promise<Input[]> {
  const answer = await fetch(`/api/inputs${again ? "?again=true" : ""}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`the monitor answered ${answer.status}`);
  return readInputs(await answer.json());
}
