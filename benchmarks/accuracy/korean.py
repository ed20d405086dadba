"""The words of the tables of docs/accuracy.md in Korean."""

import re

WORDS = {
    "held out": "뺀 것",
    "model": "모델",
    "rows": "행",
    "median error": "오차 중앙값",
    "within 2x": "두 배 이내",
    "family mean": "계열 평균",
    "worst family": "최악 계열",
    "in range": "범위 안",
    "worst": "최저",
    "half-width": "반폭",
    "family held out": "계열을 뺌",
    "family and GPU generation held out": "계열과 GPU 세대를 뺌",
    "fit on 2024": "2024년으로 맞춤",
    "tested on 2025": "2025년으로 시험",
    "one measured point of the deployment": "배포의 한 점을 잼",
    "form chosen inside": "형태를 안에서 고름",
    "hosted": "호스팅",
    "outside: 2023": "밖: 2023년",
    "one request at a time": "한 번에 한 요청",
    "published by operators": "사업자가 공개한 값",
    "operator held out": "그 사업자를 뺌",
    "architecture unknown": "구조를 모름",
    "EcoLogits 0.11 as shipped": "EcoLogits 0.11 그대로",
    "EcoLogits 0.11 with the true batch": "EcoLogits 0.11에 참 배치",
    "speed known": "속도를 앎",
    "nothing known": "아무것도 모름",
    "batches chosen inside": "배치를 안에서 고름",
    "floor: the middle of each model's own rows": "바닥: 모델마다 자기 행의 가운데",
    "no published point": "공개된 점 없이",
    "as a service run like the benchmark": "벤치마크처럼 돈 서비스로",
    "with statements and studies": "발표와 연구까지",
    "what is published": "공개된 것",
    "kind": "종류",
    "published": "공개값",
    "like the benchmark": "벤치마크처럼",
    "large operator": "큰 사업자",
    "DeepSeek's inference system": "DeepSeek의 추론 시스템",
    "Average query of ChatGPT": "ChatGPT의 평균 질의",
    "Median text prompt of Gemini": "Gemini의 중앙값 텍스트 프롬프트",
    "Answer of Le Chat with 400 tokens": "Le Chat의 400 토큰 답",
    "Ant Group's nodes of 8 H20": "Ant Group의 H20 8장 노드",
    "96 H100 with large expert parallelism": "전문가를 넓게 펼친 H100 96장",
    "GB200 with large expert parallelism": "전문가를 넓게 펼친 GB200",
    "Query to a model above 200 billion parameters": "매개변수 2,000억이 넘는 모델의 질의",
    "Typical query to GPT-4o": "GPT-4o의 보통 질의",
    "operator": "사업자",
    "not as energy": "에너지로는 아님",
    "demonstration": "시연",
    "study": "연구",
    "**outside**": "**벗어남**",
    "requests": "요청",
    "estimated over rated power": "추정 ÷ 정격 전력",
    "range holds 0.55 to 0.95": "범위가 0.55~0.95에 닿음",
    "input ten times the output": "입력이 출력의 열 배",
    "output ten times the input": "출력이 입력의 열 배",
    "dense": "조밀",
    "mixture of experts": "전문가 혼합",
}
"""English -> Korean: whole cells, or the parts of a cell between commas."""

PLAIN = re.compile(r"|joulebook|[-:]+|x?[\d.,]+( %)?|[\d.e-]+ \([\d.e-]+ to [\d.e-]+\)")
"""What is the same in both: numbers with their units, lines of dashes."""


def in_korean(table: str) -> str:
    """A Markdown table with its words in Korean.

    Raises:
        KeyError: a word is not known here.
    """
    lines = (line.strip("|").split("|") for line in table.splitlines())
    return "".join(f"| {' | '.join(_cell(cell.strip()) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    if PLAIN.fullmatch(text):
        return text.replace(" to ", "~")
    return WORDS[text] if text in WORDS else ", ".join(_part(part) for part in text.split(", "))


def _part(text: str) -> str:
    return text if PLAIN.fullmatch(text) else WORDS[text]
