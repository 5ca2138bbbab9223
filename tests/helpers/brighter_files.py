"""Invented texts in the languages of BRIGHTER, in files of its format."""

from pathlib import Path

from trainers.data.readers import brighter_emotions

# One invented text for each language: right-to-left, without spaces, with combining marks, with emoji.
TEXTS = {
    "afr": "Ek is só bly, ’n mooi dag!",
    "amh": "ዛሬ በጣም ደስ ብሎኛል።",
    "arq": "راني فرحان بزاف اليوم!",
    "ary": "فرحان بزاف، الحمد لله 😂",
    "chn": "今天真的很开心！",
    "deu": "Ich freue mich über „Grüße“, sehr.",
    "eng": "So happy today",
    "esp": "¡Qué alegría, señor! 🎉",
    "hau": "Ina ƙaunar ɗan’uwana sosai",
    "hin": "आज मैं बहुत ख़ुश हूँ।",
    "ibo": "Obi dị m ụtọ taa",
    "kin": "Ndishimye cyane",
    "mar": "आज मी खूप आनंदी आहे",
    "orm": "Har'a baay'een gammade",
    "pcm": "I dey very happy today o",
    "ptbr": "Hoje estou muito feliz, né?",
    "ptmz": "Estou feliz, maningue nice",
    "ron": "Sunt fericită astăzi, știi",
    "rus": "Сегодня я так счастлив!",
    "som": "Maanta aad baan u faraxsanahay",
    "sun": "Abdi bagja pisan dinten ieu",
    "swa": "Leo nimefurahi sana",
    "swe": "Så glad i dag, på riktigt",
    "tat": "Бүген мин бик шат, әйе",
    "tir": "ሎሚ ብጣዕሚ ተሓጒሰ ኣለኹ",
    "ukr": "Сьогодні я щасливий, їй-богу",
    "vmw": "Nlelo kinohakalala",
    "yor": "Inú mi dùn lónìí, ẹ ṣé",
}


def write(folder: Path, language: str, split: str = "train", track: str = "a", rows: tuple[str, ...] = ()) -> Path:
    """A file of two texts (or of `rows`), in the columns of its language."""
    emotions = brighter_emotions(language)
    joy = ",".join(str(int(emotion == "joy")) for emotion in emotions)
    text = TEXTS[language].replace('"', '""')
    lines = rows or (f'{language}_1,"{text}",{joy}', f'{language}_2,"{split}, 2",{",".join("0" * len(emotions))}')
    path = folder / "brighter" / f"track_{track}" / split / f"{language}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(("id", "text", *emotions)), *lines]) + "\n", encoding="utf-8")
    return path
