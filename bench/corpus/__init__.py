"""The labelled corpus: takes of several microphones, made by seed, with faults at known samples.

To tune a detector, on the tuning half only::

    python -m bench.corpus clipping --half tune --takes 20
    python -m bench.corpus dropout --half tune --takes 40 --fault dropout --no-clean

``material`` fetches real voices and music (once, by apt, into the user's cache) and splits the
files into two disjoint halves; ``takes`` builds clean takes; ``faults`` spoils them, one file a
family, with exact labels; ``score`` runs the pipeline and counts. By hand::

    clean = take(7, "tune")                            # 8 channels, 60 s, int32
    spoilt, labels = spoil(clean, FAULTS["dropout"])
    judge(spoilt, FAULTS["dropout"], labels, hear(spoilt))

``python -m bench.accuracy`` reports on the other half, "held_out": look there, never tune there.
Both halves hold the same few voices (other sentences), and rooms, props and wind are synthetic.
"""
