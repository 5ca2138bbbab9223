"""BibTeX of the published datasets."""

MOHAMMAD_2018 = """\
@inproceedings{mohammad-etal-2018-semeval,
  title = {{SemEval}-2018 Task 1: Affect in Tweets},
  author = {Mohammad, Saif and Bravo-Marquez, Felipe and Salameh, Mohammad and Kiritchenko, Svetlana},
  booktitle = {Proceedings of the 12th International Workshop on Semantic Evaluation},
  year = {2018},
  pages = {1--17},
}"""

ROSENTHAL_2017 = """\
@inproceedings{rosenthal-etal-2017-semeval,
  title = {{SemEval}-2017 Task 4: Sentiment Analysis in {Twitter}},
  author = {Rosenthal, Sara and Farra, Noura and Nakov, Preslav},
  booktitle = {Proceedings of the 11th International Workshop on Semantic Evaluation},
  year = {2017},
  pages = {502--518},
}"""

SCHERER_1994 = """\
@article{scherer-wallbott-1994-evidence,
  title = {Evidence for universality and cultural variation of differential emotion response patterning},
  author = {Scherer, Klaus R. and Wallbott, Harald G.},
  journal = {Journal of Personality and Social Psychology},
  volume = {66},
  number = {2},
  pages = {310--328},
  year = {1994},
}"""

GO_2009 = """\
@techreport{go-etal-2009-twitter,
  title = {{Twitter} Sentiment Classification using Distant Supervision},
  author = {Go, Alec and Bhayani, Richa and Huang, Lei},
  institution = {Stanford University},
  type = {CS224N Project Report},
  year = {2009},
}"""

DEMSZKY_2020 = """\
@inproceedings{demszky-etal-2020-goemotions,
  title = {{GoEmotions}: A Dataset of Fine-Grained Emotions},
  author = {Demszky, Dorottya and Movshovitz-Attias, Dana and Ko, Jeongwoo and Cowen, Alan and Nemade, Gaurav and
    Ravi, Sujith},
  booktitle = {Proceedings of the 58th Annual Meeting of the Association for Computational Linguistics},
  year = {2020},
  pages = {4040--4054},
}"""

SARAVIA_2018 = """\
@inproceedings{saravia-etal-2018-carer,
  title = {{CARER}: Contextualized Affect Representations for Emotion Recognition},
  author = {Saravia, Elvis and Liu, Hsien-Chi Toby and Huang, Yen-Hao and Wu, Junlin and Chen, Yi-Shin},
  booktitle = {Proceedings of the 2018 Conference on Empirical Methods in Natural Language Processing},
  year = {2018},
  pages = {3687--3697},
}"""

PORIA_2019 = """\
@inproceedings{poria-etal-2019-meld,
  title = {{MELD}: A Multimodal Multi-Party Dataset for Emotion Recognition in Conversations},
  author = {Poria, Soujanya and Hazarika, Devamanyu and Majumder, Navonil and Naik, Gautam and Cambria, Erik and
    Mihalcea, Rada},
  booktitle = {Proceedings of the 57th Annual Meeting of the Association for Computational Linguistics},
  year = {2019},
  pages = {527--536},
}"""

CHATTERJEE_2019 = """\
@inproceedings{chatterjee-etal-2019-semeval,
  title = {{SemEval}-2019 Task 3: {EmoContext} Contextual Emotion Detection in Text},
  author = {Chatterjee, Ankush and Narahari, Kedhar Nath and Joshi, Meghana and Agrawal, Puneet},
  booktitle = {Proceedings of the 13th International Workshop on Semantic Evaluation},
  year = {2019},
  pages = {39--48},
}"""

BUSSO_2008 = """\
@article{busso-etal-2008-iemocap,
  title = {{IEMOCAP}: interactive emotional dyadic motion capture database},
  author = {Busso, Carlos and Bulut, Murtaza and Lee, Chi-Chun and Kazemzadeh, Abe and Mower, Emily and Kim, Samuel and
    Chang, Jeannette N. and Lee, Sungbok and Narayanan, Shrikanth S.},
  journal = {Language Resources and Evaluation},
  volume = {42},
  pages = {335--359},
  year = {2008},
}"""

MUHAMMAD_2025 = """\
@inproceedings{muhammad-etal-2025-brighter,
  title = {{BRIGHTER}: {BRI}dging the Gap in Human-Annotated Textual Emotion Recognition Datasets for 28 Languages},
  author = {Muhammad, Shamsuddeen Hassan and Ousidhoum, Nedjma and Abdulmumin, Idris and Wahle, Jan Philip and
    Ruas, Terry and Beloucif, Meriem and de Kock, Christine and Surange, Nirmal and Teodorescu, Daniela and
    Ahmad, Ibrahim Said and others},
  booktitle = {Proceedings of the 63rd Annual Meeting of the Association for Computational Linguistics},
  year = {2025},
}

@inproceedings{muhammad-etal-2025-semeval,
  title = {{S}em{E}val-2025 Task 11: Bridging the Gap in Text-Based Emotion Detection},
  author = {Muhammad, Shamsuddeen Hassan and Ousidhoum, Nedjma and Abdulmumin, Idris and Yimam, Seid Muhie and others},
  booktitle = {Proceedings of the 19th International Workshop on Semantic Evaluation},
  year = {2025},
}"""

POSTS = """\
@misc{csr-emotion-posts,
  title = {csr-emotion posts: a small synthetic corpus of emotions and sentiment},
  howpublished = {Distributed with csr-emotion},
}"""
