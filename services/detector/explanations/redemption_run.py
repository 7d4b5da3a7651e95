"""挤兑 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Run(NamedTuple):
    """Amounts of the whole run but for `usual_minor`, the most that its last day would usually have."""

    institution_id: str
    first_us: int
    last_us: int
    minor: int
    net_minor: int
    held_minor: int
    currency: str
    days: int
    takers: int
    usual_takers: int
    usual_minor: int
    cover_days: int
    shown_us: int


def explanation(run: Run) -> Bilingual:
    first, last = day(run.first_us), day(run.last_us)
    total, net = amount(run.minor, run.currency), amount(run.net_minor, run.currency)
    held, usual = amount(run.held_minor, run.currency), amount(run.usual_minor, run.currency)
    return Bilingual(
        zh=(
            f"{first} 至 {last} 连续 {run.days} 天，机构 {run.institution_id} 的客户提取 {total}"
            f"（净流出 {net}），"
            f"最后一天有 {run.takers} 人提取，而往常同类日子至多 {run.usual_takers} 人、{usual}。"
            f"客户资金账户尚有 {held}，照此速度只够 {run.cover_days} 天。"
            f"证据自 {day(run.shown_us)} 起。"
            "提取人数与金额同时超出自身基线，应按挤兑应急预案（监测预警）核查。"
        ),
        en=(
            f"For {run.days} days from {first} to {last} clients of institution {run.institution_id} took out"
            f" {total} ({net} net). On the last day {run.takers} did so, where at most {run.usual_takers}"
            f" people and {usual} are usual for such a day. The accounts with clients' money hold {held},"
            f" which lasts {run.cover_days} days at this rate. Evidence from {day(run.shown_us)}. More people"
            " take out more than ever before: to be looked into under the contingency plan for runs"
            " (监测预警)."
        ),
    )
