"""What the robustness explorer shows, drawn by matplotlib: images, input spikes, votes, and accuracy against ε."""

from snnlab.plotting.curves import counts_at, curve_with_band
from snnlab.plotting.spikes import draw_raster
from snnlab.plotting.theme import ATTACK, INK, NotebookFigure, marks, png, style


def picture(shown, records, request) -> bytes:
    """The picture of a frame of ``snnlab.widgets.compute``, beside the records of all models."""
    clean, last = shown["clean"], shown["attacked"] or shown["clean"]
    with style():
        figure = NotebookFigure(figsize=(9.6, 3.0), layout="constrained")
        axes = figure.subplots(1, 5, width_ratios=[1, 1, 2.2, 1.8, 2.4])
        for ax, side in zip(axes, (clean, last), strict=False):
            ax.imshow(side["image"].reshape(shown["shape"][1:]), cmap="gray", vmin=0, vmax=1)
            ax.set_axis_off()
        if clean["input"] is not None:
            before, after = (s["input"].reshape(shown["num_steps"], -1)[:, shown["order"]["input"]] for s in (clean, last))
            draw_raster(axes[2], before, after, request.exit_step)
        votes = last["votes"].reshape(len(last["predictions"]), -1)
        for k, column in enumerate(votes.T):
            axes[3].step(range(1, len(votes) + 1), column, where="mid", color=ATTACK if k == shown["target"] else INK)
        for name, mark in marks({name: [record] for name, record in records.items()}).items():
            record, step = records[name], request.exit_step
            if record["num_steps"] == 1 or step in record["exits"]:
                counts = counts_at([record], "worst", [(step, eps) for eps in record["eps"]])
                curve_with_band(axes[4], record["eps"], counts, record["n"], mark)
        axes[4].axvline(request.eps, color=INK, lw=1, ls="--")
    return png(figure)
