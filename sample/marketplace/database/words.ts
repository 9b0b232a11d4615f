/** The words that the seeded catalogue is made of. */
export interface Department {
  readonly name: string;
  /** Category names and the things sold in each. */
  readonly categories: Readonly<Record<string, readonly string[]>>;
}

export const DEPARTMENTS: readonly Department[] = [
  {
    name: 'Home',
    categories: {
      Lighting: ['desk lamp', 'floor lamp', 'lantern', 'pendant light', 'candle holder'],
      Textiles: ['blanket', 'cushion', 'curtain', 'rug', 'table runner'],
      Kitchenware: ['teapot', 'mixing bowl', 'cutting board', 'frying pan', 'salad server'],
      Tableware: ['dinner plate', 'mug', 'wine glass', 'serving tray', 'cutlery set'],
      Furniture: ['armchair', 'side table', 'bookshelf', 'stool', 'coat rack'],
      Bathroom: ['towel', 'soap dish', 'bath mat', 'mirror', 'laundry basket'],
    },
  },
  {
    name: 'Fashion',
    categories: {
      Jackets: ['rain jacket', 'parka', 'denim jacket', 'blazer', 'windbreaker'],
      Shoes: ['sneaker', 'ankle boot', 'sandal', 'loafer', 'running shoe'],
      Bags: ['backpack', 'tote bag', 'messenger bag', 'suitcase', 'belt bag'],
      Knitwear: ['sweater', 'cardigan', 'beanie', 'scarf', 'wool sock'],
      Watches: ['wrist watch', 'pocket watch', 'watch strap', 'chronograph', 'diving watch'],
      Jewellery: ['necklace', 'bracelet', 'earring', 'signet ring', 'brooch'],
    },
  },
  {
    name: 'Electronics',
    categories: {
      Audio: ['headphones', 'bookshelf speaker', 'turntable', 'microphone', 'radio'],
      Photography: ['camera strap', 'tripod', 'prime lens', 'film camera', 'light meter'],
      Keyboards: ['mechanical keyboard', 'keycap set', 'wrist rest', 'number pad', 'switch tester'],
      Gaming: ['game controller', 'gaming mouse', 'headset stand', 'arcade stick', 'console case'],
      Wearables: ['fitness band', 'smart ring', 'heart rate strap', 'smart watch', 'sleep tracker'],
      Cables: ['charging cable', 'travel adapter', 'power bank', 'docking station', 'cable organiser'],
    },
  },
  {
    name: 'Outdoors',
    categories: {
      Camping: ['tent', 'sleeping bag', 'camping stove', 'hammock', 'head torch'],
      Cycling: ['bike bell', 'saddle bag', 'cycling helmet', 'bike light', 'repair stand'],
      Climbing: ['climbing rope', 'chalk bag', 'harness', 'carabiner', 'crash pad'],
      Gardening: ['watering can', 'pruning shears', 'seed box', 'raised bed', 'garden trowel'],
      Fishing: ['fishing rod', 'tackle box', 'landing net', 'lure set', 'wading boot'],
      Winter: ['snow shovel', 'ice skate', 'ski goggles', 'sledge', 'hand warmer'],
    },
  },
  {
    name: 'Culture',
    categories: {
      Vinyl: ['jazz record', 'soul record', 'record crate', 'record brush', 'slipmat'],
      Books: ['novel', 'atlas', 'cookbook', 'field guide', 'poetry collection'],
      Comics: ['graphic novel', 'manga volume', 'comic box', 'art print', 'zine'],
      Instruments: ['ukulele', 'kalimba', 'guitar pedal', 'drum pad', 'harmonica'],
      Stationery: ['notebook', 'fountain pen', 'ink bottle', 'desk planner', 'washi tape'],
      Games: ['board game', 'chess set', 'card game', 'dice tower', 'jigsaw puzzle'],
    },
  },
  {
    name: 'Food',
    categories: {
      Coffee: ['espresso beans', 'pour over set', 'coffee grinder', 'milk jug', 'cold brew bottle'],
      Tea: ['green tea', 'tea strainer', 'matcha whisk', 'oolong sampler', 'tea tin'],
      Spices: ['pepper mill', 'chili flakes', 'curry blend', 'saffron', 'salt crystals'],
      Chocolate: ['dark chocolate', 'praline box', 'cocoa powder', 'hazelnut spread', 'truffle set'],
      Bakery: ['sourdough starter', 'proofing basket', 'rolling pin', 'bread knife', 'flour sack'],
      Preserves: ['orange marmalade', 'pickle jar', 'honey', 'chutney', 'fig jam'],
    },
  },
  {
    name: 'Family',
    categories: {
      Toys: ['wooden train', 'building blocks', 'spinning top', 'puppet', 'kite'],
      Baby: ['baby carrier', 'play mat', 'teething ring', 'night light', 'swaddle'],
      School: ['pencil case', 'lunch box', 'satchel', 'globe', 'crayon set'],
      Crafts: ['knitting kit', 'embroidery hoop', 'clay set', 'bead box', 'sewing kit'],
      Pets: ['dog leash', 'cat tree', 'bird feeder', 'pet bed', 'treat pouch'],
      Costumes: ['cape', 'wizard hat', 'pirate set', 'face paint', 'mask'],
    },
  },
  {
    name: 'Wellbeing',
    categories: {
      Yoga: ['yoga mat', 'meditation cushion', 'yoga block', 'stretch band', 'foam roller'],
      Skincare: ['face cream', 'lip balm', 'clay mask', 'body scrub', 'sun lotion'],
      Fragrance: ['scented candle', 'perfume oil', 'incense', 'room spray', 'diffuser'],
      Fitness: ['kettlebell', 'jump rope', 'pull up bar', 'exercise ball', 'dumbbell'],
      Haircare: ['hair brush', 'shampoo bar', 'hair clip', 'beard oil', 'comb'],
      Sleep: ['eye mask', 'weighted blanket', 'pillow', 'ear plugs', 'alarm clock'],
    },
  },
];

export const ADJECTIVES = [
  'handmade',
  'vintage',
  'minimal',
  'colourful',
  'classic',
  'compact',
  'foldable',
  'rustic',
  'premium',
  'lightweight',
  'recycled',
  'limited',
  'everyday',
  'artisan',
  'modern',
  'cosy',
] as const;

export const MATERIALS = [
  'oak',
  'linen',
  'copper',
  'ceramic',
  'leather',
  'bamboo',
  'wool',
  'cork',
  'brass',
  'walnut',
  'cotton',
  'steel',
  'glass',
  'marble',
  'felt',
  'titanium',
] as const;

export const SELLER_NAMES = {
  first: ['Alder', 'Birch', 'Cedar', 'Dune', 'Ember', 'Fjord', 'Grove', 'Harbour', 'Indigo', 'Juniper'],
  second: ['Atelier', 'Brothers', 'Collective', 'Depot', 'Emporium', 'Factory', 'Goods', 'House', 'Market', 'Studio'],
  countries: ['DE', 'FR', 'GB', 'IT', 'JP', 'NL', 'PL', 'PT', 'SE', 'US'],
} as const;
