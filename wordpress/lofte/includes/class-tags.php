<?php
/**
 * Finds the tags of a page with their byte offsets (WHATWG HTML 13.2.5). It builds no tree; where only a tree could tell, it
 * reads every `<name` as a tag, and may then hold too much.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

/** Thrown when a page cannot be read: it then leaves behind the closed policy header alone. */
final class Unreadable extends \RuntimeException {}

final class Tags {
	const SPACE      = "[\\t\\n\\f\\r ]";
	const ATTRIBUTE  = '[\t\n\f\r \/]*+([^\t\n\f\r \/>][^\t\n\f\r \/>=]*+)(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"([^"]*+)(?:"|\z)|\'([^\']*+)(?:\'|\z)|(?=>)|([^\t\n\f\r >"\'][^\t\n\f\r >]*+)))?';
	const TAG        = '/\G<(\/?)([a-z][^\t\n\f\r \/>]*+)((?:[\t\n\f\r \/]*+[^\t\n\f\r \/>][^\t\n\f\r \/>=]*+(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"[^"]*+(?:"|\z)|\'[^\']*+(?:\'|\z)|(?=>)|[^\t\n\f\r >"\'][^\t\n\f\r >]*+))?)*+)[\t\n\f\r \/]*+>/i';
	const RAW        = array( 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'textarea', 'title', 'noscript', 'script' );
	const PLAIN      = '/\G<(svg|math)(?=[\t\n\f\r \/>])(?:[^>"\']++|"[^"]*+"|\'[^\']*+\')*+>(?:[^<]++|<(title|desc|mi|mn|mo|ms|mtext|annotation)(?:\s[^>"\']*+)?>[^<]*+<\/\2\s*+>|<\/?(?:g|path|circle|ellipse|rect|line|polyline|polygon|text|tspan|textpath|defs|use|symbol|image|stop|clippath|mask|pattern|marker|filter|fe[a-z]+|(?:linear|radial)gradient|animate[a-z]*|set|view|switch|metadata|m(?:row|frac|sup|sub|subsup|sqrt|root|table|tr|td|over|under|underover|style|space|padded|phantom|fenced)|semantics)(?=[\t\n\f\r \/>])(?:[^>"\']++|"[^"]*+"|\'[^\']*+\')*+>)*+<\/\1\s*+>/i';

	/**
	 * Tags from `$start` to `$stop`: name, closing, start, name_end, end, content_end, attributes.
	 *
	 * @return \Generator<array<string, mixed>>
	 */
	public static function of( string $page, int $start = 0, ?int $stop = null ): \Generator {
		$stop      = null === $stop ? strlen( $page ) : $stop;
		$at        = $start;
		$everything = false;
		$in_select = false;
		while ( $at < $stop ) {
			$at = strpos( $page, '<', $at );
			if ( false === $at || $at >= $stop ) {
				return;
			}
			if ( ! $everything ) {
				$past = self::past_other( $page, $at, $stop );
				if ( null !== $past ) {
					$at = $past;
					continue;
				}
			}
			$found = preg_match( self::TAG, $page, $match, PREG_OFFSET_CAPTURE, $at );
			if ( false === $found ) {
				throw new Unreadable( 'a tag' );
			}
			if ( 0 === $found ) {
				++$at;
				continue;
			}
			$tag = self::read( $page, $match, $stop );
			if ( ! $everything && ! $tag['closing'] && self::is_disputed( $page, $tag, $in_select ) ) {
				$everything = true;
			}
			if ( 'select' === $tag['name'] ) {
				$in_select = ! $tag['closing'];
			}
			yield $tag;
			if ( 'plaintext' === $tag['name'] && ! $tag['closing'] && ! $everything ) {
				return;
			}
			$at = $everything ? $tag['start'] + 1 : $tag['content_end'];
		}
	}

	/** Behind a comment, a declaration or a lone `<`; null at a tag. */
	private static function past_other( string $page, int $at, int $stop ): ?int {
		$next = substr( $page, $at + 1, 1 );
		if ( '!' === $next && '<!--' === substr( $page, $at, 4 ) ) {
			if ( preg_match( '/\G<!--(?:-?>|.*?--!?>)/s', $page, $match, 0, $at ) ) {
				return $at + strlen( $match[0] );
			}
			if ( PREG_NO_ERROR !== preg_last_error() ) {
				throw new Unreadable( 'a comment' );
			}
			return $stop;
		}
		$is_name = ctype_alpha( '/' === $next ? substr( $page, $at + 2, 1 ) : $next );
		if ( $is_name ) {
			return null;
		}
		if ( '!' === $next || '?' === $next || '/' === $next ) {
			$close = strpos( $page, '>', $at );
			return false === $close ? $stop : $close + 1;
		}
		return $at + 1;
	}

	private static function is_disputed( string $page, array $tag, bool $in_select ): bool {
		if ( 'svg' === $tag['name'] || 'math' === $tag['name'] ) {
			return '/>' !== substr( $page, $tag['end'] - 2, 2 ) && 1 !== preg_match( self::PLAIN, $page, $match, 0, $tag['start'] );
		}
		return 'frameset' === $tag['name'] || ( $in_select && $tag['content_end'] !== $tag['end'] );
	}

	/**
	 * @param array<int, array{0: string, 1: int}> $match
	 * @return array<string, mixed>
	 */
	private static function read( string $page, array $match, int $stop ): array {
		$name    = strtolower( $match[2][0] );
		$closing = '' !== $match[1][0];
		$end     = $match[0][1] + strlen( $match[0][0] );
		$content = $end;
		if ( ! $closing && in_array( $name, self::RAW, true ) ) {
			$content = 'script' === $name ? self::script_end( $page, $end, $stop ) : self::raw_end( $page, $name, $end, $stop );
		}
		return array(
			'name'        => $name,
			'closing'     => $closing,
			'start'       => $match[0][1],
			'name_end'    => $match[2][1] + strlen( $match[2][0] ),
			'end'         => $end,
			'content_end' => $content,
			'attributes'  => $closing ? array() : self::attributes( $match[3][0], $match[3][1] ),
		);
	}

	private static function raw_end( string $page, string $name, int $from, int $stop ): int {
		return preg_match( '/<\/' . $name . '(?=[\t\n\f\r \/>])/i', $page, $close, PREG_OFFSET_CAPTURE, $from ) ? min( $close[0][1], $stop ) : $stop;
	}

	/** Where a script's text ends: 13.2.5.15 to 13.2.5.31, with its comment-like and nested states. */
	private static function script_end( string $page, int $from, int $stop ): int {
		$commented = false;
		$nested    = false;
		$at        = $from;
		while ( preg_match( '/(<!--(?!-*>))|(-->)|<(\/?)script(?=[\t\n\f\r \/>])/i', $page, $mark, PREG_OFFSET_CAPTURE, $at ) ) {
			$at = $mark[0][1] + strlen( $mark[0][0] );
			if ( $mark[0][1] >= $stop ) {
				break;
			}
			if ( '' !== $mark[1][0] ) {
				$commented = true;
			} elseif ( isset( $mark[2] ) && '' !== $mark[2][0] ) {
				$commented = false;
				$nested    = false;
			} elseif ( '/' === $mark[3][0] ) {
				if ( ! $nested ) {
					return $mark[0][1];
				}
				$nested = false;
			} elseif ( $commented ) {
				$nested = true;
			}
		}
		return $stop;
	}

	/**
	 * @return array<int, array<string, mixed>>
	 */
	private static function attributes( string $text, int $offset ): array {
		$found = array();
		if ( '' === $text || ! preg_match_all( '/' . self::ATTRIBUTE . '/i', $text, $all, PREG_SET_ORDER | PREG_OFFSET_CAPTURE ) ) {
			return $found;
		}
		foreach ( $all as $match ) {
			$value = '';
			$from  = $match[0][1] + strlen( $match[0][0] );
			$quote = '';
			foreach ( array( 2 => '"', 3 => "'", 4 => '' ) as $group => $mark ) {
				if ( isset( $match[ $group ] ) && -1 !== $match[ $group ][1] ) {
					$value = $match[ $group ][0];
					$from  = $match[ $group ][1];
					$quote = $mark;
				}
			}
			$found[] = array(
				'name'  => strtolower( $match[1][0] ),
				'start' => $offset + $match[1][1],
				'value' => false === strpos( $value, '&' ) ? $value : html_entity_decode( $value, ENT_QUOTES | ENT_HTML5, 'UTF-8' ),
				'from'  => $offset + $from,
				'to'    => $offset + $from + strlen( $value ),
				'quote' => $quote,
			);
		}
		return $found;
	}

	/** The value that counts: HTML keeps the first of two equal names. */
	public static function get( array $tag, string $name ): ?string {
		foreach ( $tag['attributes'] as $item ) {
			if ( $item['name'] === $name ) {
				return $item['value'];
			}
		}
		return null;
	}
}
