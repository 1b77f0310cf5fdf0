"""The demo shop's menu as plain tables: what a padaria-lanchonete in São Paulo sells in 2026."""
# ruff: noqa: E501 - a table reads best with a row a line

from dataclasses import dataclass, field

Group = tuple[str, int, int, list[tuple[str, str, int]]]

CATEGORIES = [
    ("combo", "Combos"),
    ("lanche", "Lanches"),
    ("salgado", "Salgados"),
    ("padaria", "Pães"),
    ("acompanhamento", "Acompanhamentos"),
    ("cafe", "Cafés"),
    ("bebida", "Bebidas"),
    ("sobremesa", "Sobremesas"),
]

MILK: Group = ("Leite", 0, 1, [("Integral", "0.00", 1), ("Sem lactose", "1.50", 1), ("De aveia", "2.50", 1)])
EXTRAS: Group = ("Adicionais", 0, 3, [("Bacon", "4.00", 2), ("Queijo extra", "3.00", 2), ("Ovo", "2.50", 2)])
POINT: Group = ("Ponto da chapa", 1, 1, [("Clarinho", "0.00", 1), ("Bem dourado", "0.00", 1)])
BREAD: Group = (
    "Pão",
    1,
    1,
    [("Francês", "0.00", 1), ("De forma", "0.00", 1), ("Integral", "1.50", 1), ("Ciabatta", "2.50", 1)],
)
EGG: Group = ("Ponto do ovo", 1, 1, [("Gema mole", "0.00", 1), ("Gema dura", "0.00", 1)])
SAUCES: Group = (
    "Molhos",
    0,
    3,
    [
        ("Maionese da casa", "0.00", 1),
        ("Ketchup", "0.00", 1),
        ("Mostarda", "0.00", 1),
        ("Pimenta", "0.00", 1),
        ("Barbecue", "2.00", 1),
    ],
)
FILLING: Group = (
    "Recheio",
    1,
    1,
    [("Queijo coalho", "0.00", 1), ("Coalho e carne-seca", "6.00", 1), ("Coco e leite condensado", "2.00", 1)],
)
WARM: Group = ("Temperatura", 1, 1, [("Aquecido", "0.00", 1), ("Como está", "0.00", 1)])
PORTION: Group = ("Tamanho da porção", 1, 1, [("Individual", "0.00", 1), ("Para dividir", "14.00", 1)])
SHOT: Group = ("Tamanho do café", 1, 1, [("Curto", "0.00", 1), ("Longo", "0.00", 1), ("Duplo", "4.00", 1)])
TEA: Group = (
    "Sabor do chá",
    1,
    1,
    [("Camomila", "0.00", 1), ("Hortelã", "0.00", 1), ("Erva-doce", "0.00", 1), ("Mate", "0.00", 1)],
)
SUGAR: Group = ("Açúcar", 0, 1, [("Sem açúcar", "0.00", 1), ("Pouco açúcar", "0.00", 1), ("Adoçante", "0.00", 1)])
ICE: Group = ("Gelo e limão", 0, 2, [("Com gelo", "0.00", 1), ("Com limão", "0.00", 1)])
SPARKLE: Group = ("Gás", 1, 1, [("Sem gás", "0.00", 1), ("Com gás", "0.50", 1)])
BOWL: Group = ("Tamanho da tigela", 1, 1, [("300 ml", "0.00", 1), ("500 ml", "8.00", 1)])
TOPPINGS: Group = (
    "Coberturas",
    0,
    3,
    [("Leite em pó", "3.00", 2), ("Paçoca", "3.00", 1), ("Morango", "4.00", 1), ("Mel", "2.00", 1)],
)
SCOOP: Group = ("Para acompanhar", 0, 1, [("Bola de sorvete de creme", "6.00", 2), ("Chantilly", "4.00", 1)])
GROUPS = [
    MILK, EXTRAS, POINT, BREAD, EGG, SAUCES, FILLING, WARM, PORTION, SHOT, TEA, SUGAR, ICE, SPARKLE, BOWL, TOPPINGS, SCOOP,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dish:
    """One product of the demo menu; ``stock`` is what each store starts with, None when it is not counted."""

    slug: str
    category: str
    name: str
    description: str
    price: str
    station: str = "balcao"
    prep_minutes: int = 0
    groups: tuple[Group, ...] = ()
    stock: int | None = None
    allergens: list[str] = field(default_factory=list)
    needs_release: bool = False


@dataclass(frozen=True, slots=True)
class Combo:
    """One combo of the demo menu; ``slots`` name dishes by slug, each with what it adds to the price."""

    slug: str
    name: str
    description: str
    price: str
    slots: tuple[tuple[str, list[tuple[str, str]]], ...]


FRIED = [("coxinha", "0.00"), ("quibe", "0.00"), ("esfiha-de-carne", "0.00"), ("pastel-de-carne", "1.00"), ("pastel-de-queijo", "1.00"), ("empada-de-palmito", "1.50")]  # fmt: skip
SWEETS = [("brigadeiro", "0.00"), ("beijinho", "0.00"), ("pacoca", "0.00"), ("quindim", "4.00")]
COFFEES = [("cafe-coado", "0.00"), ("cafe-expresso", "1.50"), ("cafe-com-leite", "2.50"), ("cha", "3.00"), ("cappuccino", "7.50")]  # fmt: skip
SODAS = [("refrigerante-guarana", "0.00"), ("agua-mineral", "0.00"), ("refrigerante-cola", "1.00"), ("mate-gelado", "2.00"), ("suco-de-laranja", "4.00")]  # fmt: skip

COMBOS = [
    Combo("combo-cafe-da-manha", "Café da manhã", "Pão quentinho, café e suco espremido na hora. Assim o dia começa.", "19.90", (
        ("Do forno ou da chapa", [("pao-na-chapa", "0.00"), ("pao-de-queijo", "1.00"), ("pao-com-ovo", "5.00"), ("croissant", "5.00"), ("misto-quente", "7.00")]),
        ("Bebida quente", COFFEES),
        ("Suco", [("suco-de-laranja", "0.00"), ("limonada-suica", "1.50"), ("vitamina-de-banana", "3.00")]),
    )),
    Combo("combo-lanche-da-tarde", "Lanche da tarde", "Uma fatia de bolo e uma bebida quente para a pausa das quatro.", "12.90", (
        ("Bolo", [("bolo-de-fuba", "0.00"), ("bolo-de-cenoura", "1.00"), ("torta-de-limao", "6.00"), ("pudim", "2.00")]),
        ("Bebida quente", COFFEES),
    )),
    Combo("combo-dupla-de-salgados", "Dupla de salgados", "Dois salgados à sua escolha, iguais ou diferentes, e uma bebida gelada.", "18.90", (
        ("Primeiro salgado", FRIED),
        ("Segundo salgado", FRIED),
        ("Bebida", SODAS),
    )),
    Combo("combo-x-salada", "Lanche completo", "Hambúrguer da casa, fritas e bebida, tudo na mesma bandeja.", "42.90", (
        ("Lanche", [("x-salada", "0.00"), ("x-bacon", "3.00"), ("bauru", "2.00"), ("beirute", "12.00")]),
        ("Acompanhamento", [("batata-frita", "0.00"), ("mandioca-frita", "3.00"), ("aneis-de-cebola", "5.00")]),
        ("Bebida", SODAS),
    )),
    Combo("combo-almoco-leve", "Almoço leve", "Um prato sem peso e uma bebida fresca.", "23.90", (
        ("Prato", [("sanduiche-natural", "0.00"), ("torta-de-frango", "0.00"), ("salada-da-casa", "1.00"), ("caldo-verde", "3.00")]),
        ("Bebida", [("mate-gelado", "0.00"), ("agua-mineral", "-3.00"), ("suco-de-laranja", "2.00"), ("suco-de-abacaxi", "3.00"), ("agua-de-coco", "4.00")]),
    )),
    Combo("combo-cafe-com-docinhos", "Café com docinhos", "Um café e dois docinhos de festa, sem precisar de festa.", "10.90", (
        ("Café", COFFEES),
        ("Primeiro docinho", SWEETS),
        ("Segundo docinho", SWEETS),
    )),
]  # fmt: skip

DISHES = [
    Dish("misto-quente", "lanche", "Misto-quente", "Presunto e queijo derretido no pão de forma.", "14.90", "chapa", 6, (EXTRAS,), 60, ["gluten", "milk"]),
    Dish("bauru", "lanche", "Bauru", "Rosbife fatiado fino, muçarela derretida, tomate e picles no pão francês.", "26.90", "chapa", 8, (EXTRAS, SAUCES), None, ["gluten", "milk"]),
    Dish("sanduiche-de-mortadela", "lanche", "Sanduíche de mortadela", "Uma montanha de mortadela na chapa com provolone, como no mercado municipal.", "29.90", "chapa", 8, (BREAD, SAUCES), None, ["gluten", "milk", "soy"]),
    Dish("x-salada", "lanche", "X-salada", "Hambúrguer de 120 g, queijo, alface, tomate, cebola-roxa e maionese da casa.", "24.90", "chapa", 10, (EXTRAS, SAUCES), 40, ["gluten", "milk", "egg"]),
    Dish("x-bacon", "lanche", "X-bacon", "Hambúrguer de 120 g, queijo, bacon crocante, alface e tomate.", "27.90", "chapa", 10, (EXTRAS,), 40, ["gluten", "milk", "egg"]),
    Dish("cachorro-quente", "lanche", "Cachorro-quente", "Salsicha, purê cremoso, vinagrete, mostarda e muita batata-palha.", "19.90", "chapa", 6, (SAUCES,), None, ["gluten", "milk", "soy"]),
    Dish("beirute", "lanche", "Beirute", "Pão sírio tostado com rosbife, queijo, ovo, alface e tomate. Dá para dois.", "38.90", "chapa", 12, (EXTRAS, SAUCES), None, ["gluten", "milk", "egg"]),
    Dish("sanduiche-natural", "lanche", "Sanduíche natural", "Frango desfiado, cenoura ralada, alface e maionese leve no pão integral.", "18.90", "balcao", 1, (), 30, ["gluten", "milk", "egg"]),
    Dish("tapioca", "lanche", "Tapioca", "Feita na hora, dobrada quentinha com o recheio que você escolher.", "17.90", "chapa", 6, (FILLING,), None, ["milk"]),
    Dish("coxinha", "salgado", "Coxinha", "Frango com requeijão, casquinha crocante.", "8.50", "fritura", 3, (), 80, ["gluten", "milk"]),
    Dish("pastel-de-carne", "salgado", "Pastel de carne", "Massa fininha, carne bem temperada.", "9.90", "fritura", 5, (), 50, ["gluten"]),
    Dish("pastel-de-queijo", "salgado", "Pastel de queijo", "Meia-lua estaladiça, puxa-puxa de muçarela por dentro.", "9.90", "fritura", 5, (), 50, ["gluten", "milk"]),
    Dish("quibe", "salgado", "Quibe", "Trigo, carne e hortelã, frito na hora e servido com limão.", "8.90", "fritura", 4, (), 60, ["gluten"]),
    Dish("esfiha-de-carne", "salgado", "Esfiha de carne", "Aberta, massa macia, carne com tomate, cebola e um toque de limão.", "7.50", "balcao", 2, (), 70, ["gluten"]),
    Dish("empada-de-palmito", "salgado", "Empada de palmito", "Massa que desmancha, recheio cremoso de palmito e azeitona.", "10.50", "balcao", 1, (WARM,), 36, ["gluten", "milk", "egg"]),
    Dish("bolinho-de-bacalhau", "salgado", "Bolinho de bacalhau", "Quatro unidades crocantes, bacalhau de verdade e limão.", "24.90", "fritura", 6, (SAUCES,), 40, ["gluten", "egg", "fish"]),
    Dish("enroladinho-de-salsicha", "salgado", "Enroladinho de salsicha", "Massa fofa e douradinha abraçando a salsicha.", "7.90", "balcao", 1, (WARM,), 48, ["gluten", "milk", "egg", "soy"]),
    Dish("torta-de-frango", "salgado", "Torta de frango", "Fatia alta, frango cremoso com milho e requeijão, massa amanteigada.", "16.90", "balcao", 2, (WARM,), 20, ["gluten", "milk", "egg"]),
    Dish("pao-na-chapa", "padaria", "Pão na chapa", "Pão francês com manteiga, tostado na hora.", "6.50", "chapa", 4, (POINT,), 120, ["gluten", "milk"]),
    Dish("pao-com-ovo", "padaria", "Pão com ovo", "Pão francês crocante, ovo caipira frito na manteiga.", "12.90", "chapa", 5, (EGG, EXTRAS), None, ["gluten", "milk", "egg"]),
    Dish("croissant", "padaria", "Croissant", "Folhas finas de manteiga, casquinha que estala, miolo macio.", "12.90", "balcao", 1, (WARM,), 36, ["gluten", "milk", "egg"]),
    Dish("pao-de-batata", "padaria", "Pão de batata", "Fofinho, recheado com requeijão cremoso.", "9.50", "balcao", 1, (WARM,), 40, ["gluten", "milk", "egg"]),
    Dish("broa-de-milho", "padaria", "Broa de milho", "Rachadinha por cima, úmida por dentro, com erva-doce.", "6.90", "balcao", 0, (), 40, ["gluten", "milk", "egg"]),
    Dish("pao-doce", "padaria", "Pão doce", "Caracol macio com creme de baunilha e coco ralado.", "8.50", "balcao", 0, (), 36, ["gluten", "milk", "egg"]),
    Dish("pao-italiano", "padaria", "Pão italiano", "Inteiro, fermentação natural de 24 horas, casca grossa.", "24.90", "balcao", 0, (), 18, ["gluten"]),
    Dish("pao-de-queijo", "acompanhamento", "Pão de queijo", "Três unidades, quentinhas do forno.", "7.90", "balcao", 1, (), 100, ["milk", "egg"]),
    Dish("batata-frita", "acompanhamento", "Batata frita", "Porção sequinha de 300 g.", "18.00", "fritura", 8),
    Dish("mandioca-frita", "acompanhamento", "Mandioca frita", "Crocante por fora, cremosa por dentro, com sal grosso.", "21.00", "fritura", 9, (PORTION, SAUCES)),
    Dish("aneis-de-cebola", "acompanhamento", "Anéis de cebola", "Empanados na cerveja, dourados e estalando.", "23.00", "fritura", 8, (PORTION, SAUCES), None, ["gluten"]),
    Dish("ovos-mexidos", "acompanhamento", "Ovos mexidos", "Três ovos cremosos na manteiga, com torradinhas.", "16.90", "chapa", 5, (), None, ["gluten", "milk", "egg"]),
    Dish("caldo-verde", "acompanhamento", "Caldo verde", "Batata, couve fininha e linguiça; bem quente.", "22.90", "balcao", 4, (), 24),
    Dish("salada-da-casa", "acompanhamento", "Salada da casa", "Folhas do dia, tomate, cenoura, ovo e azeite com limão.", "19.90", "balcao", 4, (), None, ["egg"]),
    Dish("cafe-coado", "cafe", "Café coado", "Torra média do sul de Minas.", "5.00", "bebidas", 2),
    Dish("cafe-expresso", "cafe", "Café expresso", "Creme cor de avelã, com biscoitinho amanteigado.", "7.00", "bebidas", 2, (SHOT, SUGAR), None, ["gluten", "milk"]),
    Dish("cafe-com-leite", "cafe", "Café com leite", "Metade café, metade leite vaporizado.", "8.00", "bebidas", 3, (MILK,), None, ["milk"]),
    Dish("cappuccino", "cafe", "Cappuccino", "Expresso, leite e uma nuvem de espuma com canela.", "13.90", "bebidas", 4, (MILK, SUGAR), None, ["milk"]),
    Dish("cafe-gelado", "cafe", "Café gelado", "Expresso duplo sobre leite fresco e muito gelo.", "15.90", "bebidas", 4, (MILK, SUGAR), None, ["milk"]),
    Dish("chocolate-quente", "cafe", "Chocolate quente", "Encorpado, chocolate meio amargo, chantilly por cima.", "15.90", "bebidas", 5, (MILK,), None, ["milk", "soy"]),
    Dish("cha", "cafe", "Chá", "Infusão na hora, servida no bule de vidro.", "8.50", "bebidas", 4, (TEA, SUGAR)),
    Dish("suco-de-laranja", "bebida", "Suco de laranja", "Espremido na hora, 400 ml.", "12.00", "bebidas", 3),
    Dish("limonada-suica", "bebida", "Limonada suíça", "Limão-taiti batido com casca, cremosa e geladinha.", "13.50", "bebidas", 4, (SUGAR,), None, ["milk"]),
    Dish("suco-de-abacaxi", "bebida", "Abacaxi com hortelã", "Abacaxi maduro e hortelã fresca, batidos com gelo.", "13.90", "bebidas", 4, (SUGAR,)),
    Dish("vitamina-de-banana", "bebida", "Vitamina de banana", "Banana, leite e aveia; sustenta a manhã inteira.", "15.90", "bebidas", 4, (MILK, SUGAR), None, ["milk", "gluten"]),
    Dish("agua-de-coco", "bebida", "Água de coco", "No coco verde, gelada, aberta na sua frente.", "14.00", "bebidas", 2, (), 30),
    Dish("mate-gelado", "bebida", "Mate gelado", "Mate tostado com limão, feito na casa, 400 ml.", "10.00", "bebidas", 1, (SUGAR,)),
    Dish("refrigerante-guarana", "bebida", "Guaraná", "Lata de 350 ml, bem gelada.", "7.00", "bebidas", 0, (), 90),
    Dish("refrigerante-cola", "bebida", "Refrigerante de cola", "Garrafa de vidro de 290 ml, trincando.", "8.00", "bebidas", 0, (ICE,), 72),
    Dish("agua-mineral", "bebida", "Água mineral", "Garrafa de 500 ml, gelada.", "5.00", "bebidas", 0, (SPARKLE,), 120),
    Dish("cerveja-long-neck", "bebida", "Cerveja long neck", "Lager puro malte, 355 ml, estupidamente gelada.", "12.00", "bebidas", 0, (), 48, ["gluten"], needs_release=True),
    Dish("chope", "bebida", "Chope claro", "Tirado na hora, 300 ml, colarinho de dois dedos.", "11.00", "bebidas", 2, (), None, ["gluten"], needs_release=True),
    Dish("brigadeiro", "sobremesa", "Brigadeiro", "Chocolate de verdade, granulado belga.", "4.50", "balcao", 0, (), 90, ["milk"]),
    Dish("beijinho", "sobremesa", "Beijinho", "Coco fresco, leite condensado e um cravo no topo.", "4.50", "balcao", 0, (), 80, ["milk"]),
    Dish("pacoca", "sobremesa", "Paçoca", "Amendoim torrado e socado, desmancha na boca.", "3.50", "balcao", 0, (), 100, ["peanut"]),
    Dish("quindim", "sobremesa", "Quindim", "Gemas e coco, brilhante como deve ser.", "9.50", "balcao", 0, (), 30, ["egg"]),
    Dish("pudim", "sobremesa", "Pudim", "De leite condensado, com muita calda.", "12.50", "balcao", 1, (), 16, ["milk", "egg"]),
    Dish("bolo-de-cenoura", "sobremesa", "Bolo de cenoura", "Fatia com cobertura de chocolate.", "11.00", "balcao", 1, (), 24, ["gluten", "milk", "egg"]),
    Dish("bolo-de-fuba", "sobremesa", "Bolo de fubá", "Fatia úmida com goiabada derretida. Pede um café.", "9.90", "balcao", 1, (), 24, ["gluten", "milk", "egg"]),
    Dish("torta-de-limao", "sobremesa", "Torta de limão", "Creme azedinho, base crocante, merengue maçaricado.", "16.90", "balcao", 1, (), 16, ["gluten", "milk", "egg"]),
    Dish("sonho-de-creme", "sobremesa", "Sonho de creme", "Macio, passado no açúcar, transbordando creme.", "10.50", "balcao", 0, (), 32, ["gluten", "milk", "egg"]),
    Dish("bomba-de-chocolate", "sobremesa", "Bomba de chocolate", "Massa leve, creme de chocolate e cobertura espelhada.", "12.50", "balcao", 0, (), 24, ["gluten", "milk", "egg", "soy"]),
    Dish("brownie", "sobremesa", "Brownie de castanhas", "Casquinha fina, miolo úmido, castanha-do-pará e nozes.", "13.90", "balcao", 1, (SCOOP,), 24, ["gluten", "milk", "egg", "nuts", "soy"]),
    Dish("mousse-de-maracuja", "sobremesa", "Mousse de maracujá", "Aerada e azedinha, com polpa e sementes por cima.", "13.50", "balcao", 0, (), 20, ["milk"]),
    Dish("acai-na-tigela", "sobremesa", "Açaí na tigela", "Açaí cremoso batido na hora, banana, morango e granola.", "24.90", "bebidas", 5, (BOWL, TOPPINGS), None, ["gluten", "nuts"]),
]  # fmt: skip
