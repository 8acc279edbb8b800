<?php
/**
 * Holds what a page may not load, in the same form as Löfte's own gate: `src` becomes `data-lofte-src`, `data-lofte-held` names
 * the purposes that would let it in (none: nobody declared it). The same bytes for everyone; the guard releases in the browser.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Gate {
	const MOST_INLINE = 64;
	const MOST_NESTED = 4;
	const ANYWHERE    = array( 'src', 'poster', 'background', 'lowsrc', 'dynsrc', 'manifest' );
	const SETS        = array( 'srcset', 'imagesrcset' );
	const PINGS       = array( 'ping', 'attributionsrc' );
	const ONLY_ON     = array(
		'link'    => array( 'href' ),
		'object'  => array( 'data', 'codebase', 'classid', 'archive' ),
		'applet'  => array( 'code', 'codebase', 'object', 'archive' ),
		'image'   => array( 'href', 'xlink:href' ),
		'use'     => array( 'href', 'xlink:href' ),
		'feimage' => array( 'href', 'xlink:href' ),
		'script'  => array( 'href', 'xlink:href' ),
	);
	const UNLOADED    = array( 'alternate', 'amphtml', 'author', 'bookmark', 'canonical', 'edituri', 'external', 'help', 'hub', 'license', 'me', 'next', 'nofollow', 'noopener', 'noreferrer', 'pingback', 'prev', 'privacy-policy', 'profile', 'search', 'self', 'shortlink', 'start', 'tag', 'terms-of-service', 'up', 'webmention', 'wlwmanifest', 'https://api.w.org/' );
	const SCRIPTS     = '/^(?:|module|importmap|speculationrules|(?:application|text)\/(?:x-)?(?:ecma|java)script|text\/javascript1\.[0-5]|text\/jscript|text\/livescript)$/';
	const STORES      = '/document\s*\.\s*cookie|\[\s*[\'"]cookie[\'"]\s*\]|\b(?:localStorage|sessionStorage|indexedDB|cookieStore|caches)\b/';
	const IN_CODE     = '/(?:(?:https?|wss?):(?:\\\\?\/){2}|(?<=["\'`])\/\/)([a-z0-9][a-z0-9.-]*\.[a-z0-9-]+)/i';
	const IN_SHEET    = '/((?:\burl|\bsrc)\(\s*|@import\s+|[(,]\s*(?=["\'][^"\']*["\']\s*(?:[\d.]+(?:x|dpp[xi]|dpcm)|type\()))(?:"((?:[^"\\\\\n]|\\\\.)*)"|\'((?:[^\'\\\\\n]|\\\\.)*)\'|([^\s"\'()]+(?=\s*\))))/is';

	/** @var string */
	private $page;
	/** @var Kit */
	private $kit;
	/** @var string */
	private $host;
	/** @var string */
	private $back;
	/** @var array<int, array{0: int, 1: int, 2: string}> */
	private $edits = array();
	/** @var array<string, true> Inline scripts that may run, now or after a yes. */
	public $hashes = array();
	/** @var array<string, true> What was held, by name. */
	public $found = array();
	/** @var bool */
	private $is_dressed = false;
	/** @var array<string, int> */
	public $places = array( 'html' => -1, 'head' => -1, 'body' => -1, 'body_close' => -1 );

	public function __construct( string $page, Kit $kit, string $host, string $back ) {
		$this->page = $page;
		$this->kit  = $kit;
		$this->host = self::normal( $host );
		$this->back = $back;
	}

	/** @throws Unreadable */
	public function hold(): string {
		$this->over( 0, strlen( $this->page ), 0 );
		return $this->edited();
	}

	public function insert( int $at, string $text, bool $first = false ): void {
		if ( $first ) {
			array_unshift( $this->edits, array( $at, $at, $text ) );
		} else {
			$this->edits[] = array( $at, $at, $text );
		}
	}

	public function edited(): string {
		$edits = $this->edits;
		foreach ( $edits as $index => $edit ) {
			$edits[ $index ][] = $index; // Sorting is stable from PHP 8 on only.
		}
		usort(
			$edits,
			static function ( $a, $b ) {
				return array( $a[0], $a[3] ) <=> array( $b[0], $b[3] );
			}
		);
		$out  = '';
		$at   = 0;
		$seen = array();
		foreach ( $edits as $edit ) {
			$key = $edit[0] . ':' . $edit[1] . ':' . $edit[2];
			if ( $edit[0] < $at || isset( $seen[ $key ] ) ) {
				continue;
			}
			$seen[ $key ] = true;
			$out         .= substr( $this->page, $at, $edit[0] - $at ) . $edit[2];
			$at           = $edit[1];
		}
		return $out . substr( $this->page, $at );
	}

	private function over( int $start, int $stop, int $nesting ): void {
		foreach ( Tags::of( $this->page, $start, $stop ) as $tag ) {
			if ( $tag['closing'] ) {
				if ( 'body' === $tag['name'] && 0 === $nesting ) {
					$this->places['body_close'] = $tag['start'];
				}
				continue;
			}
			if ( 0 === $nesting && isset( $this->places[ $tag['name'] ] ) && $this->places[ $tag['name'] ] < 0 ) {
				$this->places[ $tag['name'] ] = $tag['end'];
			}
			switch ( $tag['name'] ) {
				case 'script':
					$this->script( $tag );
					break;
				case 'iframe':
					$this->frame( $tag, $nesting );
					break;
				case 'style':
					$this->style( $tag );
					break;
				case 'noscript':
					if ( $nesting < self::MOST_NESTED ) {
						$this->over( $tag['end'], $tag['content_end'], $nesting + 1 );
					}
					break;
				case 'meta':
					if ( 'refresh' === strtolower( trim( (string) Tags::get( $tag, 'http-equiv' ) ) ) && preg_match( '/^[\s\d.]*[;,\s]\s*(?:url\s*=\s*)?[\'"]?(.*?)[\'"]?\s*$/is', (string) Tags::get( $tag, 'content' ), $match ) && null !== $this->needs( $match[1] ) ) {
						$this->rename( $tag, 'http-equiv' );
					}
					break;
				case 'base':
					$host = self::host_of( (string) Tags::get( $tag, 'href' ) );
					if ( null !== $host && $host !== $this->host ) {
						$this->rename( $tag, 'href' );
					}
					break;
			}
			$this->addresses( $tag );
		}
	}

	private function script( array $tag ): void {
		$kind = strtolower( trim( explode( ';', (string) ( Tags::get( $tag, 'type' ) ?? Tags::get( $tag, 'language' ) ) )[0] ) );
		if ( ! preg_match( self::SCRIPTS, $kind ) && ! preg_match( self::SCRIPTS, 'text/' . $kind ) ) {
			return; // A data block: browsers neither run nor fetch it.
		}
		$address = Tags::get( $tag, 'src' ) ?? Tags::get( $tag, 'href' ) ?? Tags::get( $tag, 'xlink:href' );
		if ( null !== $address ) {
			$needed = $this->needs( $address );
			if ( null !== $needed ) {
				$this->disarm( $tag, $kind, $needed );
			}
			return;
		}
		$text = substr( $this->page, $tag['end'], $tag['content_end'] - $tag['end'] );
		if ( '' === trim( $text ) ) {
			return;
		}
		$hash     = self::fingerprint( $text );
		$purposes = $this->purposes_of_code( $tag, $text );
		$fits     = count( $this->hashes ) < self::MOST_INLINE || isset( $this->hashes[ $hash ] );
		if ( null === $purposes || ! $fits ) {
			$this->disarm( $tag, $kind, array() );
			$this->found['inline-script'] = true;
			return;
		}
		$this->hashes[ $hash ] = true;
		$needed                = $this->asked( $purposes );
		if ( $needed ) {
			$this->disarm( $tag, $kind, $needed );
		}
	}

	/**
	 * The purposes inline code waits for; null when it names what nobody declared, or keeps something nobody vouches for.
	 *
	 * @return string[]|null
	 */
	private function purposes_of_code( array $tag, string $text ): ?array {
		$marked   = (string) Tags::get( $tag, 'data-lofte-purpose' );
		$purposes = isset( $this->kit->many( 'models' )[ $marked ] ) ? array( $marked ) : array();
		if ( preg_match_all( self::IN_CODE, $text, $hosts ) ) {
			foreach ( array_unique( array_map( 'strtolower', $hosts[1] ) ) as $host ) {
				if ( $host === $this->host || $host === self::bare( $this->host ) || ( 'www.w3.org' === $host ) ) {
					continue;
				}
				$of_host = $this->kit->purposes_of( $host );
				if ( ! $of_host ) {
					return null;
				}
				$purposes = array_merge( $purposes, $of_host );
			}
		}
		return ! $purposes && preg_match( self::STORES, $text ) && ! $this->is_cores( $tag ) ? null : array_values( array_unique( $purposes ) );
	}

	/** Inline code WordPress itself prints, which keeps a session copy of what the browser can draw (6.2 and later). */
	private function is_cores( array $tag ): bool {
		return false !== strpos( substr( $this->page, $tag['end'], 200 ), '_wpemojiSettings' );
	}

	private function frame( array $tag, int $nesting ): void {
		foreach ( $tag['attributes'] as $item ) {
			if ( 'srcdoc' === $item['name'] && $nesting < self::MOST_NESTED ) {
				$inner             = new self( $item['value'], $this->kit, $this->host, $this->back );
				$inner->is_dressed = true;
				$changed           = $this->kit->word( 'head' ) . $inner->hold();
				$this->hashes     += $inner->hashes;
				$this->found      += $inner->found;
				$escaped           = htmlspecialchars( $changed, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8' );
				$this->edits[]     = array( $item['from'], $item['to'], '' === $item['quote'] ? '"' . $escaped . '"' : $escaped );
				break;
			}
		}
		$address = (string) Tags::get( $tag, 'src' );
		$needed  = '' === $address ? null : $this->needs( $address );
		if ( null === $needed ) {
			return;
		}
		$this->insert( $tag['start'], $this->placeholder( $address, (string) Tags::get( $tag, 'title' ), $this->size( $tag ) ) );
		$this->insert( $tag['name_end'], ' hidden' );
	}

	private function size( array $tag ): string {
		$width  = trim( (string) Tags::get( $tag, 'width' ) );
		$height = trim( (string) Tags::get( $tag, 'height' ) );
		return preg_match( '/^\d{1,4}$/', $width ) && preg_match( '/^\d{1,4}$/', $height ) ? " style=\"--w:$width;--h:$height\"" : '';
	}

	/** The text in place of a held frame, as Löfte wrote it, with this address put in. */
	public function placeholder( string $address, string $title = '', string $size = '' ): string {
		$host  = self::bare( (string) self::host_of( $address ) );
		$path  = (string) wp_parse_url( 0 === strpos( $address, '//' ) ? 'https:' . $address : $address, PHP_URL_PATH );
		$words = $this->kit->word( 'unknown' );
		$id    = '';
		foreach ( $this->kit->many( 'frames' ) as $frame ) {
			if ( ! self::names( $frame['host'], $host ) ) {
				continue;
			}
			if ( '' === $frame['path'] ) {
				$words = $frame['html'];
				break;
			}
			$pattern = '/^' . str_replace( '\\{id\\}', '([A-Za-z0-9_-]{1,64})', preg_quote( $frame['path'], '/' ) ) . '\/?$/D';
			if ( preg_match( $pattern, $path, $match ) ) {
				$words = $frame['html'];
				$id    = $match[1] ?? '';
				break;
			}
		}
		if ( '' === $words ) {
			$words = '<span class="lofte-held" data-lofte="held-frame"><span>' . esc_html( $host ) . '</span></span>';
		}
		$absolute = 0 === strpos( $address, '//' ) ? 'https:' . $address : $address;
		$words    = str_replace(
			array( 'https://lofte-host.invalid/LOFTEADDRESS', 'lofte-host.invalid', 'LOFTEID', 'LOFTEBACK' ),
			array( esc_url( $absolute ), esc_html( $host ), rawurlencode( $id ), rawurlencode( $this->back ) ),
			$words
		);
		if ( '' !== $title ) {
			$words = preg_replace( '/aria-label="[^"]*"/', 'aria-label="' . strtr( esc_attr( $title ), array( '\\' => '\\\\', '$' => '\\$' ) ) . '"', $words, 1 );
		}
		$words    = $size ? preg_replace( '/<span class="lofte-held"/', '$0' . $size, $words, 1 ) : $words;
		$dressing = $this->is_dressed ? '' : $this->kit->word( 'dressing' );

		$this->is_dressed = true;
		return $dressing . $words;
	}

	private function style( array $tag ): void {
		$sheet = substr( $this->page, $tag['end'], $tag['content_end'] - $tag['end'] );
		foreach ( $this->in_sheet( $sheet ) as $edit ) {
			$this->edits[] = array( $tag['end'] + $edit[0], $tag['end'] + $edit[1], $edit[2] );
		}
	}

	/** @return array<int, array{0: int, 1: int, 2: string}> */
	private function in_sheet( string $sheet ): array {
		$edits = array();
		if ( false === strpos( $sheet, '(' ) && false === strpos( $sheet, '@' ) ) {
			return $edits;
		}
		if ( false === preg_match_all( self::IN_SHEET, $sheet, $all, PREG_SET_ORDER | PREG_OFFSET_CAPTURE ) ) {
			throw new Unreadable( 'a style sheet' );
		}
		foreach ( $all as $match ) {
			foreach ( array( 2, 3, 4 ) as $group ) {
				if ( ! isset( $match[ $group ] ) || -1 === $match[ $group ][1] ) {
					continue;
				}
				list( $text, $from ) = $match[ $group ];
				$address             = preg_replace_callback(
					'/\\\\(?:([0-9a-f]{1,6})\s?|(\n)|(.))/is',
					static function ( $escape ) {
						return '' !== ( $escape[1] ?? '' ) ? html_entity_decode( '&#' . hexdec( $escape[1] ) . ';', ENT_QUOTES, 'UTF-8' ) : ( $escape[3] ?? '' );
					},
					$text
				);
				$needed              = $this->needs( $address );
				if ( null !== $needed ) {
					$edits[] = array( $from, $from + strlen( $text ), 'about:invalid#lofte-held' . ( $needed ? '~' . implode( '+', $needed ) . '~' . rawurlencode( $address ) : '' ) );
				}
			}
		}
		return $edits;
	}

	private function addresses( array $tag ): void {
		$only = self::ONLY_ON[ $tag['name'] ] ?? array();
		if ( 'link' === $tag['name'] ) {
			$rels = preg_split( '/\s+/', strtolower( (string) Tags::get( $tag, 'rel' ) ), -1, PREG_SPLIT_NO_EMPTY );
			$only = array_diff( $rels, self::UNLOADED ) ? $only : array();
		}
		$waits = array();
		foreach ( $tag['attributes'] as $item ) {
			$name = $item['name'];
			if ( 'style' === $name ) {
				$text = $item['value'];
				foreach ( array_reverse( $this->in_sheet( $text ) ) as $edit ) {
					$text = substr( $text, 0, $edit[0] ) . $edit[2] . substr( $text, $edit[1] );
				}
				if ( $text !== $item['value'] ) {
					$escaped       = htmlspecialchars( $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8' );
					$this->edits[] = array( $item['from'], $item['to'], '' === $item['quote'] ? '"' . $escaped . '"' : $escaped );
				}
				continue;
			}
			if ( in_array( $name, self::SETS, true ) ) {
				$addresses = array();
				foreach ( preg_split( '/,(?=\s)|(?<=[wx]),|,(?=(?:https?:)?\/\/)/', $item['value'] ) as $part ) {
					$addresses[] = preg_split( '/\s+/', trim( $part ) )[0];
				}
			} elseif ( in_array( $name, self::PINGS, true ) ) {
				$addresses = preg_split( '/\s+/', $item['value'] );
			} elseif ( in_array( $name, self::ANYWHERE, true ) || in_array( $name, $only, true ) ) {
				$addresses = array( $item['value'] );
			} else {
				continue;
			}
			$held = false;
			foreach ( $addresses as $address ) {
				$needed = $this->needs( $address );
				if ( null !== $needed ) {
					$waits[] = $needed;
					$held    = true;
				}
			}
			if ( $held ) {
				$this->insert( $item['start'], 'data-lofte-' );
			}
		}
		if ( $waits && 'script' !== $tag['name'] ) {
			$this->insert( $tag['name_end'], self::mark( $waits ) );
		}
	}

	/**
	 * Null when everybody may load it; else the purposes it waits for, none when nobody declared it.
	 *
	 * @return string[]|null
	 */
	private function needs( string $address ): ?array {
		$host = self::host_of( $address );
		if ( null === $host || $host === $this->host ) {
			return null;
		}
		$purposes = $this->kit->purposes_of( self::bare( $host ) );
		if ( ! $purposes ) {
			$this->found[ $host ] = true;
			return array();
		}
		$asked = $this->asked( $purposes );
		if ( $asked ) {
			$this->found[ $host ] = true;
		}
		return $asked ? $purposes : null;
	}

	/**
	 * @param string[] $purposes
	 * @return string[]
	 */
	private function asked( array $purposes ): array {
		$kit = $this->kit;
		return array_values(
			array_filter(
				$purposes,
				static function ( $purpose ) use ( $kit ) {
					return ! $kit->is_necessary( $purpose );
				}
			)
		);
	}

	private function rename( array $tag, string $name ): void {
		foreach ( $tag['attributes'] as $item ) {
			if ( $item['name'] === $name ) {
				$this->insert( $item['start'], 'data-lofte-' );
			}
		}
	}

	/** @param string[] $purposes */
	private function disarm( array $tag, string $kind, array $purposes ): void {
		// The first of two equal attributes counts, so this one wins over the page's own type.
		$own = in_array( $kind, array( 'module', 'importmap', 'speculationrules' ), true ) ? " data-lofte-type=$kind" : '';
		$this->insert( $tag['name_end'], ' type=text/plain' . $own . self::mark( array( $purposes ) ) );
	}

	/** @param array<int, string[]> $waits */
	private static function mark( array $waits ): string {
		if ( in_array( array(), $waits, true ) ) {
			return ' data-lofte-held';
		}
		$purposes = array_unique( array_merge( ...$waits ) );
		sort( $purposes );
		return ' data-lofte-held=' . implode( '~', $purposes );
	}

	public static function fingerprint( string $text ): string {
		return 'sha256-' . base64_encode( hash( 'sha256', $text, true ) );
	}

	/** `host` or `host:port` when the address names one (as browsers read it); null for relative and non-network addresses. */
	public static function host_of( string $address ): ?string {
		$text = str_replace( array( "\t", "\n", "\r" ), '', trim( $address, "\x00..\x20" ) );
		if ( preg_match( '/^([a-z][a-z0-9+.-]*):/i', $text, $scheme ) ) {
			if ( ! in_array( strtolower( $scheme[1] ), array( 'http', 'https', 'ws', 'wss', 'ftp' ), true ) ) {
				return null;
			}
			$text = substr( $text, strlen( $scheme[0] ) );
		} elseif ( ! preg_match( '#^[/\\\\]{2}#', $text ) ) {
			return null;
		}
		$authority = preg_split( '#[/\\\\?\#]#', ltrim( $text, '/\\' ), 2 )[0];
		$at        = strrpos( $authority, '@' );
		return self::normal( false === $at ? $authority : substr( $authority, $at + 1 ) );
	}

	public static function normal( string $host ): string {
		$parts = explode( ':', strtolower( rawurldecode( $host ) ), 2 );
		$name  = rtrim( $parts[0], '.' );
		if ( preg_match( '/[^\x00-\x7f]/', $name ) && function_exists( 'idn_to_ascii' ) ) {
			$ascii = idn_to_ascii( $name );
			$name  = false === $ascii ? $name : $ascii;
		}
		$port = $parts[1] ?? '';
		return '' === $port || '80' === $port || '443' === $port ? $name : "$name:$port";
	}

	public static function bare( string $host ): string {
		return explode( ':', $host, 2 )[0];
	}

	/** Whether a declared pattern names this host; `*.example.com` covers sub-domains only. */
	public static function names( string $pattern, string $host ): bool {
		$name = self::bare( $host );
		return 0 === strpos( $pattern, '*.' ) ? substr( $name, -( strlen( $pattern ) - 1 ) ) === substr( $pattern, 1 ) : $name === $pattern;
	}
}
