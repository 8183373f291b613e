"""Words that people compare by voice: who invites, as eight words of Russian or of English.

A word stands for a byte. No two words of a list differ by one letter or begin with the same four, and none is spelled
in two ways. Eight words are 64 bits: no other node with the same ones is found while an invitation lives.
"""

import hashlib
from typing import Final

from federation import codec
from federation.invitation import Invitation

LANGUAGES: Final = ("ru", "en")
LENGTH: Final = 8


def fingerprint_words(invitation: Invitation, language: str) -> tuple[str, ...]:
    """The words of the federation and the node that invites: those of every invitation of that node alike.

    The secret and the expiry are not in them, so that they may be said aloud, or hang on a wall.
    """
    return tuple(WORDS[language][byte] for byte in fingerprint_bytes(invitation))


def fingerprint_bytes(invitation: Invitation) -> bytes:
    """What the words stand for."""
    named: list[codec.Value] = [
        invitation.genesis.id,
        invitation.org,
        invitation.node,
        invitation.sign_key,
        invitation.pin,
    ]
    return hashlib.sha256(b"passport/words/1\n" + codec.pack(named)).digest()[:LENGTH]


_RU = """
адрес айва акула арбуз арка астра афиша багаж байка балет банан башня бегун белка благо блеск бобр бокал борщ
брат броня буква бутон быль валун вата ведро веник верба весло вино вишня вода волна врач вход выбор вывод гамак
гараж глава глина гора гость гриб груша гусь дача двор декан десна диета домик доска дрова дуга дупло дымок дыня
енот жаба жакет жетон жираф завод загар заказ замок запад заря звон зебра зерно зима злак зонт зубр игла изба
икра иней ирис исток кабан кадр калач капля карта каша квас кепка кивок клад клюв кожа койка комар конус кофе
крест крик крыша купол куст лавка лампа лапша лето лимон липа лодка лось луна лыжи лютик маска метро мешок море
мост музей мука мыло налим народ наука небо невод нерпа нефть нива норка носок нырок обед обруч огонь озеро
океан олень опора орган осина отдых палец панда папка паста паук перо петух печь пион пирог плащ плод пляж поезд
помпа порт право пруд птица пурга путь пчела радар разум ребус редис резец рельс рифма робот роман роса рубин
ручка рыба рысь сазан салют сапог сахар север седло сезон серп сетка сито слон смола собор сова сосна среда стих
столб сумка сурок сцена сыщик табун театр текст темп тигр тиски тропа труба туман тыква тюбик ужин узор улица
утка учеба факел ферма филин флаг фокус фото фрукт халат хвост холм хомяк храм цвет цирк чашка череп чехол число
чудо чулок шалаш шарф швея шило шина школа шлем шмель шуба щенок эмаль эпоха эскиз юбка юмор ягода ясень яхта
"""

_EN = """
acorn actor album almond amber anchor apple apron arena armor arrow atlas attic bacon badge bagel baker bamboo
banana banjo barley barn basil basket beach beaver beetle bell berry bike birch bonus book bottle bowl bread
breeze brick bridge brush bucket bugle bulb butter cabin cable cactus cage camel canal candle canoe canyon
carpet castle cedar cello chalk cheese cherry chess chief choir cider cigar circle citrus clay cloud clover
coach cobalt cobra coffee collar comet condor copper coral cotton cowboy crab crane crayon crown cube cymbal
daisy dance deck deer delta denim diary dinghy dinner dish domino donkey door dove dragon drum eagle earth echo
emblem engine estate exit fabric falcon farm fern fiddle fire flag flour flute forest fork fossil fruit funnel
galaxy gallon garden garlic glass glove goat goose gopher guitar gull hammer harbor hawk hazel helmet herb heron
hive honey horn house igloo iris island ivory jacket jaguar jazz jelly jewel jockey juice kayak kiwi koala ladle
lake lamp lark lava leaf lemon lily linen lion lunch lynx mango maple mayor melon metal milk moon music nail
nest novel oasis ocean olive onion opal orbit organ otter oven palm panda paper pasta pearl piano pine plum poet
pond poppy prism pump quail quilt radar radio raven reef rhino river robin roof rope ruby salad satin scarf seed
shark sheep shelf ship shirt shoe snow soap sofa spoon stone straw sugar swan syrup tent tiger toast tower tray
truck tulip twin vase video wagon water wave whale wheat wheel yacht yard zebra zinc
"""

WORDS: Final = {"ru": tuple(_RU.split()), "en": tuple(_EN.split())}
