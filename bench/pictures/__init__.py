"""The labelled picture corpus: shots made by seed, with faults at known pictures.

To tune a detector, on the tuning half only::

    python -m bench.pictures freeze --half tune --minutes 10
    python -m bench.pictures pixellation --half tune --minutes 2 --fault "pixellation H.264"

``scenes`` paint clean pictures, a generator a scene, each in one half only; ``shots`` chooses
scene, size, rate, noise and coder by seed; ``faults`` spoils, one file a family, with exact labels;
``coders`` encodes into memory and reads it back by capture's demuxer; ``score`` runs the pipeline
and counts. By hand::

    clean = shot(7, "tune")
    spoilt_shot = spoilt(7, "tune", FAULTS["freeze"])
    judge(spoilt_shot, FAULTS["freeze"], hear(spoilt_shot))

The other half, "held_out", is for reports: look there, never tune there. A fault whose detector is
not registered yet is scored "no detector", a metric that does not exist "no such metric".
"""
