// How the page looks on this tablet: kept here, never on the service.

export const THEMES = ["dark", "sun", "night"] as const;
export type Theme = (typeof THEMES)[number];
const KEY = "takewatch.look";

interface Look {
  theme: Theme;
  contrast: boolean;
  safe: boolean;
}

function stored(): Look {
  const look: Look = { theme: "dark", contrast: false, safe: false };
  try {
    const text = window.localStorage.getItem(KEY);
    const read = JSON.parse(text ?? "{}") as Partial<Look>;
    if (THEMES.some((name) => name === read.theme)) look.theme = read.theme as Theme;
    look.contrast = read.contrast === true;
    look.safe = read.safe === true;
  } catch {
    // no storage (private window): the defaults hold
  }
  return look;
}

class Looks {
  theme: Theme = $state("dark");
  contrast = $state(false);
  safe = $state(false);
  /** Grows when colours change, so that canvases read them again. */
  version = $state(0);

  constructor() {
    Object.assign(this, stored());
  }

  apply(): void {
    const root = document.documentElement.dataset;
    root["theme"] = this.theme;
    root["contrast"] = this.contrast ? "high" : "normal";
    root["palette"] = this.safe ? "safe" : "normal";
    this.version += 1;
    try {
      const { theme, contrast, safe } = this;
      window.localStorage.setItem(KEY, JSON.stringify({ theme, contrast, safe }));
    } catch {
      // no storage: the look lasts as long as the page
    }
  }
}

export const looks = new Looks();
