"""挤兑 in sentences."""

from __future__ import annotations

from typing import NamedTuple

from schemas.record import Bilingual
from services.detector.wording import amount, day


class Run(NamedTuple):
    """Of the whole run; takers count once a day. `usual_*`: the most that is usual for such days together.
    `product_id` is "" where it is one on the whole institution."""

    institution_id: str
    product_id: str
    first_us: int
    last_us: int
    minor: int
    net_minor: int
    held_minor: int
    currency: str
    days: int
    takers: int
    last_takers: int
    usual_takers: int
    usual_minor: int
    cover_days: int
    shown_us: int


def explanation(run: Run) -> Bilingual:
    first, last = day(run.first_us), day(run.last_us)
    total, net = amount(run.minor, run.currency), amount(run.net_minor, run.currency)
    held, usual = amount(run.held_minor, run.currency), amount(run.usual_minor, run.currency)
    whose_zh, whose_en = f"机构 {run.institution_id} 的客户", f"clients of institution {run.institution_id}"
    pot_zh, pot_en = "客户资金账户", "The accounts with clients' money hold"
    if run.product_id:
        whose_zh = f"机构 {run.institution_id} 的产品 {run.product_id} 的持有人"
        whose_en = f"holders of product {run.product_id} of institution {run.institution_id}"
        pot_zh, pot_en = "产品账户", "The product's own accounts hold"
    return Bilingual(
        zh=(
            f"{first} 至 {last} 的 {run.days} 个兑付日，{whose_zh}提取 {total}（净流出 {net}），"
            f"共 {run.takers} 人次，最后一天 {run.last_takers} 人；"
            f"往常同类日子合计至多 {run.usual_takers} 人次、{usual}。"
            f"{pot_zh}尚有 {held}，照此速度只够 {run.cover_days} 天。"
            f"证据自 {day(run.shown_us)} 起。"
            "提取人数与金额同时超出自身基线，应按挤兑应急预案（监测预警）核查。"
        ),
        en=(
            f"On {run.days} days from {first} to {last} {whose_en} took out {total} ({net} net). They did so"
            f" {run.takers} times, {run.last_takers} of them on the last day, where at most"
            f" {run.usual_takers} times and {usual} are usual for such days. {pot_en} {held}, which lasts"
            f" {run.cover_days} days at this rate. Evidence from {day(run.shown_us)}. More people take out"
            " more than ever before: to be looked into under the contingency plan for runs (监测预警)."
        ),
    )
