"""The glossary page, written from the column dictionary."""

from joulebook.terms.columns import Column, columns

TITLES = {"en": "Glossary", "ko": "용어집"}
ABOUT = {
    "en": (
        "Every column of every table: its unit, what it means, and the standard it comes from. Units are the last part "
        "of a name; shares are ratios, never percent; instants end in `_at` and are UTC."
    ),
    "ko": (
        "모든 표의 모든 열: 단위, 뜻, 근거가 되는 표준. 단위는 이름의 끝에 오고, 몫은 백분율이 아니라 비율이며, "
        "`_at`로 끝나는 시각은 UTC입니다."
    ),
}
WRITTEN = {
    "en": "This page is written by `make docs`; do not edit it.",
    "ko": "이 쪽은 `make docs` 명령이 씁니다. 손으로 고치지 마세요.",
}
HEADS = {"en": ("column", "unit", "meaning", "standard"), "ko": ("열", "단위", "뜻", "표준")}


def glossary(language: str) -> str:
    """The page in Markdown.

    Args:
        language: ``en`` or ``ko``.
    """
    lines = [
        f"# {TITLES[language]}",
        "",
        ABOUT[language],
        "",
        WRITTEN[language],
        "",
    ]
    lines += [f"| {' | '.join(HEADS[language])} |", "|---|---|---|---|"]
    lines += [_row(one, language) for one in sorted(columns().values(), key=lambda one: one.name)]
    return "\n".join(lines) + "\n"


def _row(one: Column, language: str) -> str:
    unit = "" if one.unit in {None, "1"} else one.unit
    return f"| `{one.name}` | {unit} | {one.meaning[language].replace('|', '/')} | {one.standard or ''} |"
